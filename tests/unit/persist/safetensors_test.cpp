// SPDX-License-Identifier: Apache-2.0
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <partita/persist/safetensors.hpp>

#include <cstring>
#include <string>
#include <vector>

namespace safetensors_test {

namespace pt = partita;

static_assert(pt::dtype_of<bool> == pt::Dtype::boolean && pt::dtype_of<float> == pt::Dtype::f32);
static_assert(pt::dtype_of<std::int8_t> == pt::Dtype::i8 && pt::dtype_of<std::uint8_t> == pt::Dtype::u8);
static_assert(pt::dtype_of<short> == pt::Dtype::i16 && pt::dtype_of<unsigned short> == pt::Dtype::u16);
static_assert(pt::dtype_of<int> == pt::Dtype::i32 && pt::dtype_of<unsigned> == pt::Dtype::u32);
static_assert(pt::dtype_of<long> == pt::Dtype::i64 && pt::dtype_of<unsigned long long> == pt::Dtype::u64);
static_assert(pt::dtype_of<double> == pt::Dtype::f64 && pt::dtype_name(pt::Dtype::f64) == "F64");
static_assert(!pt::TensorElement<long double> && !pt::TensorElement<int*> && !pt::TensorElement<__int128>);

namespace {

std::string file_of(std::string header, const std::string& data) {
    const std::uint64_t length = header.size();
    std::string out(8, '\0');
    std::memcpy(out.data(), &length, 8);
    return out + header + data;
}
/// The cause of the error that parsing gives, or "".
std::string outcome(const std::string& file) {
    try {
        const pt::Safetensors tensors(std::as_bytes(std::span(file)), "file");
        return "";
    } catch (const pt::ModelFileError& error) {
        CHECK(error.place().file == "file");
        return error.cause();
    }
}
std::string outcome_of(const std::string& header, std::size_t data_bytes) {
    return outcome(file_of(header, std::string(data_bytes, 'x')));
}

}  // namespace

TEST_CASE("tensors of any type, shape and name come back, aligned", "[persist]") {
    CHECK(rc::check([](const std::vector<std::string>& names, const std::vector<std::uint8_t>& numbers) {
        pt::SafetensorsWriter writer;
        std::vector<std::string> used, contents;
        std::vector<pt::Dtype> dtypes;
        for (std::size_t i = 0; i < names.size(); ++i) {
            const std::string name = std::to_string(i) + ":" + (pt::is_utf8(names[i]) ? names[i] : "");
            const std::size_t number = numbers.empty() ? 7 : numbers[i % numbers.size()];
            const auto dtype = static_cast<pt::Dtype>(number % 11);
            const std::vector<std::uint64_t> shape(number % 4, number % 3 + (i % 2));
            std::size_t size = pt::dtype_size_bytes(dtype);
            for (const std::uint64_t extent : shape) size *= static_cast<std::size_t>(extent);
            contents.push_back(std::string(size, static_cast<char>(i)));
            writer.add(name, dtype, shape, std::as_bytes(std::span(contents.back())));
            used.push_back(name);
            dtypes.push_back(dtype);
        }
        const std::string file = writer.bytes({{"key", "value \"\n\xC3\xA9"}, {"", ""}});
        const pt::Safetensors tensors(std::as_bytes(std::span(file)), "file");
        RC_ASSERT(tensors.tensors().size() == used.size());
        RC_ASSERT(*tensors.find_metadata("key") == "value \"\n\xC3\xA9");
        RC_ASSERT(tensors.find_metadata("other") == nullptr);
        RC_ASSERT(tensors.find("no such name") == nullptr);
        for (std::size_t i = 0; i < used.size(); ++i) {
            const pt::TensorInfo* info = tensors.find(used[i]);
            RC_ASSERT(info != nullptr && info->dtype == dtypes[i]);
            const auto bytes = tensors.bytes(*info);
            RC_ASSERT(bytes.size() == contents[i].size());
            RC_ASSERT(bytes.empty() || std::memcmp(bytes.data(), contents[i].data(), bytes.size()) == 0);
            RC_ASSERT(static_cast<std::size_t>(bytes.data() - std::as_bytes(std::span(file)).data()) %
                          pt::dtype_size_bytes(info->dtype) ==
                      0);
        }
    }));
}

TEST_CASE("the bytes of a small file", "[persist]") {
    pt::SafetensorsWriter writer;
    const float values[2] = {1, 2};
    const std::uint64_t shape[1] = {2};
    writer.add("w", pt::Dtype::f32, shape, std::as_bytes(std::span(values)));
    const std::string header = R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
    CHECK(writer.bytes() == file_of(header + std::string(2, ' '), std::string("\0\0\x80\x3F\0\0\0\x40", 8)));
    CHECK(pt::SafetensorsWriter().bytes() == file_of("{}      ", ""));
}

TEST_CASE("valid files of other writers are read: any order of keys and tensors, white space, escapes", "[persist]") {
    CHECK(outcome_of("{}", 0).empty());
    CHECK(outcome_of("{ \"b\" : {\"data_offsets\":[4,5],\"dtype\":\"U8\",\"shape\":[]},\n"
                     "\"\\u0061\":{\"shape\":[1,1],\"dtype\":\"I32\",\"data_offsets\":[0,4]}, \"__metadata__\":{} }  ",
                     5)
              .empty());
    const std::string file = file_of(R"({"\u0061":{"dtype":"BOOL","shape":[0,5],"data_offsets":[0,0]}})", "");
    const pt::Safetensors tensors(std::as_bytes(std::span(file)), "file");
    REQUIRE(tensors.find("a") != nullptr);
    CHECK(tensors.find("a")->shape().size() == 2);
    CHECK(tensors.find("a")->size() == 0);
}

TEST_CASE("what is cut off is truncated", "[persist]") {
    CHECK(outcome("") == "model_file_truncated");
    CHECK(outcome("1234567") == "model_file_truncated");
    CHECK(outcome(file_of("{}", "").substr(0, 9)) == "model_file_truncated");
    CHECK(outcome_of(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", 3) == "model_file_truncated");
}

TEST_CASE("what breaks a rule of the format is malformed", "[persist]") {
    const std::string u8 = R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]})";
    CHECK(outcome_of(u8 + "}", 4).empty());
    CHECK(outcome_of(u8 + "}", 5) == "model_file_malformed");  // bytes left over
    for (
        const char* header : {
            "",
            " {}",
            "[]",
            "{}x",
            "{",
            "{}{}",
            R"({"a":{"dtype":"U8","shape":[4]}})",                                    // no offsets
            R"({"a":{"dtype":"U8","data_offsets":[0,4]}})",                           // no shape
            R"({"a":{"shape":[4],"data_offsets":[0,4]}})",                            // no dtype
            R"({"a":{"dtype":"U8","dtype":"U8","shape":[4],"data_offsets":[0,4]}})",  // twice
            R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"more":1}})",      // unknown key
            R"({"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}})",              // unknown type
            R"({"a":{"dtype":"u8","shape":[4],"data_offsets":[0,4]}})",
            R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,4]}})",  // size is not the shape's
            R"({"a":{"dtype":"I16","shape":[4],"data_offsets":[0,4]}})",
            R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}})",    // backwards
            R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4,4]}})",  // three offsets
            R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[4]}})",      // one offset
            R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[]}})",
            R"({"a":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}})",  // negative
            R"({"a":{"dtype":"U8","shape":[4.0],"data_offsets":[0,4]}})",
            R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1,4],"data_offsets":[0,4]}})",            // seven extents
            R"({"a":{"dtype":"U8","shape":[4294967296,4294967296,4],"data_offsets":[0,4]}})",  // overflows
            R"({"a":{"dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,4]}})",     // times 8 overflows
            R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,9223372036854775808]}})",
            R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}})",
            R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}})",  // hole in front
            R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
            R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
            R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
            R"({"__metadata__":{"a":"b"},"__metadata__":{}})",
            R"({"__metadata__":{"a":"b","a":"c"}})",
            R"({"__metadata__":{"a":1}})",
            R"({"__metadata__":[]})",
            R"({"a":1})",
        }) {
        INFO(header);
        CHECK(outcome_of(header, 4) == "model_file_malformed");
    }
    std::string many = "{\"__metadata__\":{";
    for (int i = 0; i < 1025; ++i) many += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":\"\"";
    CHECK(outcome_of(many + "}}", 0) == "model_file_malformed");
}

TEST_CASE("a header's length beyond the format's limit is malformed before anything is read", "[persist]") {
    for (const std::uint64_t length : {std::uint64_t{100'000'001}, ~std::uint64_t{0}, std::uint64_t{1} << 63}) {
        std::string file(64, '{');
        std::memcpy(file.data(), &length, 8);
        CHECK(outcome(file) == "model_file_malformed");
    }
}

TEST_CASE("a writer refuses what no reader would take", "[persist]") {
    const std::uint64_t two[1] = {2}, huge[2] = {std::uint64_t{1} << 62, std::uint64_t{1} << 62},
                        seven[7] = {1, 1, 1, 1, 1, 1, 1};
    const std::string bytes(2, 'x');
    const auto data = std::as_bytes(std::span(bytes));
    pt::SafetensorsWriter writer;
    CHECK_THROWS_AS(writer.add("a", pt::Dtype::i16, two, data), pt::InvalidSetting);
    CHECK_THROWS_AS(writer.add("a", pt::Dtype::u8, huge, data), pt::InvalidSetting);
    CHECK_THROWS_AS(writer.add("a", pt::Dtype::u8, seven, data.first(1)), pt::InvalidSetting);
    writer.add("a", pt::Dtype::u8, two, data);
    CHECK_NOTHROW(writer.bytes());
    writer.add("a", pt::Dtype::u8, two, data);
    CHECK_THROWS_AS(writer.bytes(), pt::InvalidSetting);
    pt::SafetensorsWriter reserved;
    reserved.add("__metadata__", pt::Dtype::u8, two, data);
    CHECK_THROWS_AS(reserved.bytes(), pt::InvalidSetting);
    pt::SafetensorsWriter invalid;
    invalid.add("\xFF", pt::Dtype::u8, two, data);
    CHECK_THROWS_AS(invalid.bytes(), pt::InvalidSetting);
    pt::Safetensors::Metadata metadata;
    for (int i = 0; i < 1024; ++i) metadata.emplace_back(std::to_string(i), "");
    CHECK_NOTHROW(pt::SafetensorsWriter().bytes(metadata));
    metadata.emplace_back("one more", "");
    CHECK_THROWS_AS(pt::SafetensorsWriter().bytes(metadata), pt::InvalidSetting);
}

}  // namespace safetensors_test
