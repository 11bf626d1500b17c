// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <partita/persist/model_file.hpp>

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "unit/persist/model_mutator.hpp"
#include "unit/persist/sample_model.hpp"

namespace model_file_test {

namespace pt = partita;

namespace {

const pt::Provenance here{"0.1.0", "sse2", "gcc 12", ~std::uint64_t{0}, 7};

/// The sentence of the error of type E that `act` throws; fails if it throws none.
template <class E>
std::string sentence_of(const std::function<void()>& act, std::string stage = "") {
    try {
        act();
    } catch (const E& error) {
        CHECK(error.place().stage == stage);
        return error.what();
    }
    FAIL("nothing was thrown");
    return {};
}
bool has(const std::string& text, const std::string& part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
    return text.find(part) != std::string::npos;
}
/// A model of one stage "scale", version 2, with a vector of two numbers "mean".
std::string small_file() {
    pt::ModelWriter writer(here, "a: float\n");
    writer.begin_stage("scale", 2);
    writer.vector("mean", std::vector<double>{1.5, -2});
    return writer.bytes();
}
/// The same with a part of its text replaced and the checksums repaired.
std::string edited(const std::string& from, const std::string& to, std::string file = small_file()) {
    std::string header = file.substr(8, static_cast<std::size_t>(sample::header_length(file)));
    const std::size_t at = header.find(from);
    REQUIRE(at != std::string::npos);
    header.replace(at, from.size(), to);
    sample::set_header(file, header);
    sample::repair(file);
    return file;
}

}  // namespace

TEST_CASE("what is written is read, stage by stage", "[persist]") {
    pt::ModelWriter writer(here, "distance: float\n");
    writer.begin_stage("scale", 2);
    writer.vector("mean", std::vector<double>{1.5, -0.0});
    writer.scalar("count", std::uint64_t{1} << 63);
    writer.vector("flags", std::vector<bool>{true, false, true});
    writer.begin_stage("empty", 1);
    writer.begin_stage("encode", 5);
    {
        const auto scope = writer.scope("zone");
        writer.texts("values", std::vector<std::string>{"a", "", "caf\xC3\xA9", std::string(1, '\0')});
        writer.text("note", "hello");
    }
    writer.tensor("matrix", std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
    writer.tensor("nothing", std::vector<std::int8_t>{}, {0, 3});

    pt::ModelReader reader(writer.bytes(), "m");
    CHECK(reader.provenance() == here);
    CHECK(reader.fingerprint() == "distance: float\n");
    CHECK(reader.stage_id(2) == "encode");
    CHECK(reader.stage_version(2) == 5);
    CHECK(reader.enter_stage("scale", 4, 1) == 2);
    const auto mean = reader.vector<double>("mean");
    CHECK(mean.size() == 2);
    CHECK(std::signbit(mean[1]));
    CHECK(reader.has("count"));
    CHECK(!reader.has("matrix"));
    CHECK(reader.scalar<std::uint64_t>("count") == std::uint64_t{1} << 63);
    CHECK(reader.vector<bool>("flags") == std::vector<bool>{true, false, true});
    reader.enter_stage("empty", 1);
    reader.enter_stage("encode", 5);
    {
        const auto scope = reader.scope("zone");
        CHECK(reader.texts("values") == std::vector<std::string>{"a", "", "caf\xC3\xA9", std::string(1, '\0')});
        CHECK(reader.text("note") == "hello");
    }
    const auto matrix = reader.tensor<float>("matrix");
    CHECK(matrix.shape == std::vector<std::uint64_t>{2, 3});
    CHECK(matrix.values == std::vector<float>{1, 2, 3, 4, 5, 6});
    CHECK(reader.tensor<std::int8_t>("nothing").shape == std::vector<std::uint64_t>{0, 3});
    reader.finish();
}

TEST_CASE("a model without stages, and provenance of this program", "[persist]") {
    pt::ModelWriter writer(pt::provenance_here(3, 4));
    pt::ModelReader reader(writer.bytes());
    CHECK(reader.provenance().library == pt::version);
    CHECK(reader.provenance().instruction_set == PARTITA_INSTRUCTION_SET);
    CHECK(reader.provenance().seed == 3);
    CHECK(reader.provenance().rows == 4);
    reader.finish();
}

TEST_CASE("the same model has the same bytes, in a file as in memory", "[persist]") {
    CHECK(small_file() == small_file());
    pt::ModelWriter writer(here, "a: float\n");
    writer.begin_stage("scale", 2);
    writer.vector("mean", std::vector<double>{1.5, -2});
    const std::string path = "persist_model_file_test.safetensors";
    writer.write(path);
    CHECK(pt::read_whole_file(path) == small_file());
    pt::ModelReader reader = pt::ModelReader::open(path);
    reader.enter_stage("scale", 2);
    CHECK(reader.vector<double>("mean") == std::vector<double>{1.5, -2});
    reader.finish();
    std::remove(path.c_str());
    CHECK(has(sentence_of<pt::FileError>([&] { pt::ModelReader::open(path); }), "No such file"));
}

TEST_CASE("a file of another pipeline is refused with what differs", "[persist]") {
    const std::string file = sample::save(sample::make(2));
    pt::ModelReader reader(file, "m.safetensors");
    const auto expect = [&](std::vector<std::string> ids, const std::string& fingerprint = sample::fingerprint) {
        return sentence_of<pt::ModelFileMismatch>([&] { reader.expect(ids, fingerprint); });
    };
    reader.expect(sample::stage_ids, sample::fingerprint);
    const std::string renamed = expect({"forest", "hash", "linear"});
    has(renamed, "m.safetensors holds the model of another pipeline: its stages differ");
    has(renamed, "\n  2. the file has     encoder\n  2. the program has  hash");
    has(expect({"forest", "linear"}), "\n  2. the file has     encoder\n  2. the program has  nothing");
    has(expect({"forest", "x", "encoder", "linear"}), "\n  2. the file has     nothing\n  2. the program has  x");
    has(expect({}),
        "\n  1. the file has     forest\n  2. the file has     encoder\n  3. the file has     linear\n  1. the program "
        "has  nothing");
    has(expect(std::vector<std::string>(20, "y")), "… and 12 more");
    const std::string columns = expect(sample::stage_ids, "distance: float\nzone: text\nfare: double\n");
    has(columns, "fitted on another table");
    has(columns, "\n  2. the file has     zone: category\n  2. the program has  zone: text");
    has(expect(sample::stage_ids, ""), "the program has  nothing");

    has(sentence_of<pt::ModelFileMismatch>([&] { pt::ModelReader(file).enter_stage("encoder", 3); }),
        "stage 1 is forest in the file and encoder in the program");
    has(sentence_of<pt::ModelFileMismatch>([&] { pt::ModelReader(file).finish(); }),
        "the file has 3 stages, and the program only 0");
    pt::ModelReader small(small_file());
    small.enter_stage("scale", 2);
    small.vector<double>("mean");
    has(sentence_of<pt::ModelFileMismatch>([&] { small.enter_stage("more", 1); }, "scale"),
        "the program's stage 2 is more, and the file has only 1 stages");
}

TEST_CASE("another version of the format or of a stage is refused by its number", "[persist]") {
    const std::string format = edited("\"partita_format\":\"1\"", "\"partita_format\":\"31\"");
    const std::string sentence = sentence_of<pt::ModelFileVersion>([&] { pt::ModelReader reader(format); });
    has(sentence, "has the format version 31");
    has(sentence, "reads version 1");
    // Whatever the rest of such a file looks like: a later format may have other checksums.
    std::string later(8, '\0');
    sample::set_header(later, R"({"__metadata__":{"partita_format":"2","something":"else"}})");
    has(sentence_of<pt::ModelFileVersion>([&] { pt::ModelReader reader(later); }), "has the format version 2");

    pt::ModelReader older(small_file());
    has(sentence_of<pt::ModelFileVersion>([&] { older.enter_stage("scale", 1); }, "scale"),
        "holds version 2 of the stage scale, and this program reads version 1");
    pt::ModelReader newer(small_file());
    has(sentence_of<pt::ModelFileVersion>([&] { newer.enter_stage("scale", 5, 3); }, "scale"), "reads versions 3 to 5");
}

TEST_CASE("a stage takes all its tensors, and none that are not its own", "[persist]") {
    const auto malformed = [](auto act) {
        return sentence_of<pt::ModelFileMalformed>(
            [&] {
                pt::ModelReader reader(small_file());
                reader.enter_stage("scale", 2);
                act(reader);
            },
            "scale");
    };
    has(malformed([](pt::ModelReader& reader) { reader.finish(); }),
        "it has a tensor \"1.scale.mean\" that this stage does not know");
    has(malformed([](pt::ModelReader& reader) { reader.vector<double>("means"); }),
        "the tensor \"1.scale.means\" is missing");
    has(malformed([](pt::ModelReader& reader) { reader.vector<float>("mean"); }), "is of F64 and should be of F32");
    has(malformed([](pt::ModelReader& reader) { reader.scalar<double>("mean"); }), "has 1 extents and should have 0");
    has(sentence_of<pt::ModelFileMalformed>([] { pt::ModelReader(small_file()).vector<double>("mean"); }),
        "is missing");

    pt::ModelWriter writer(here);
    writer.begin_stage("a", 1);
    writer.begin_stage("b", 1);
    writer.text("x", "x");
    std::string file = writer.bytes();
    // The tensor claimed by the first stage, under the name it has in the second.
    std::string sum = pt::checksum_text(pt::checksum(std::as_bytes(std::span("x", 1))));
    const std::string claim = R"(\"2.b.x\":\")" + sum + R"(\")",
                      between = R"(}},{\"id\":\"b\",\"version\":1,\"tensors\":{)";
    file = edited("{" + between + claim, "{" + claim + between, file);
    pt::ModelReader reader(file);
    has(sentence_of<pt::ModelFileMalformed>([&] { reader.enter_stage("a", 1), reader.enter_stage("b", 1); }, "a"),
        "does not know");

    // And the tensor of the first stage, claimed by the second.
    pt::ModelWriter swapped(here);
    swapped.begin_stage("a", 1);
    swapped.text("x", "x");
    swapped.begin_stage("b", 1);
    const std::string own = R"(\"1.a.x\":\")" + sum + R"(\")";
    pt::ModelReader second(edited("{" + own + between, "{" + between + own, swapped.bytes()));
    second.enter_stage("a", 1);
    has(sentence_of<pt::ModelFileMalformed>([&] { second.text("x"); }, "a"),
        "the tensor \"1.a.x\" belongs to another stage");
}

TEST_CASE("a manifest with right checksums and wrong content is malformed", "[persist]") {
    const auto malformed = [](const std::string& from, const std::string& to) {
        return sentence_of<pt::ModelFileMalformed>([&] { pt::ModelReader reader(edited(from, to)); });
    };
    has(malformed("\"partita_manifest\"", "\"partita_manifes\""), "it does not begin as a model file");
    has(malformed("{\"__metadata__\"", "{ \"__metadata__\""), "another safetensors file");
    has(malformed("\"1\",\"partita_ch", "\"one\",\"partita_ch"), "its format version is no number");
    has(malformed("]}\"},", "]}\",\"more\":\"\"},"), "its metadata have other entries");
    has(malformed(R"(\"library\")", R"(\"libary\")"), R"(the key "library" is missing)");
    has(malformed(R"(\"seed\":\"1)", R"(\"seed\":\"9)"), "the seed is no number of 64 bits");
    has(malformed(R"(\"seed\":\"1)", R"(\"seed\":\"01)"), "the seed is no number of 64 bits");
    has(malformed(R"(\"rows\":7)", R"(\"rows\":7.5)"), "a number must be an integer");
    has(malformed(R"(\"rows\":7)", R"(\"rows\":7,\"host\":\"x\")"), R"(the key "host" is unknown)");
    has(malformed(R"(\"id\":\"scale\")", R"(\"id\":\"\")"), "the id of a stage has 1 to 256 bytes");
    has(malformed(R"(\"id\":\"scale\")", R"(\"id\":\")" + std::string(257, 'x') + R"(\")"),
        "the id of a stage has 1 to 256 bytes");
    has(malformed(R"(\"1.scale.mean\":)", R"(\"1.scale.mode\":)"), "the tensor \"1.scale.mode\" is not in the file");
    has(malformed(R"(\"tensors\":{)", R"(\"tensors\":{\"1.scale.mean\":\"0000000000000000\",)"), "is named twice");
    has(malformed(R"(\"1.scale.mean\":\")", R"(\"1.scale.mean\":\"0)"), "a checksum has 16 hexadecimal digits");
    has(malformed("\"1.scale.mean\":{", R"("more":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"1.scale.mean":{)"),
        "\"more\" belongs to no stage");
    has(malformed("]}\"},", "]} \\\"\"},"), "text follows the end");
}

TEST_CASE("damage is told from a fault of the writer", "[persist]") {
    std::string file = small_file();
    file.back() ^= 1;
    has(sentence_of<pt::ModelFileCorrupt>([&] { pt::ModelReader reader(file, "m"); }),
        "m is damaged: the tensor \"1.scale.mean\" has other bytes");
    file = small_file();
    file[file.find("fingerprint")] = 'F';
    has(sentence_of<pt::ModelFileCorrupt>([&] { pt::ModelReader reader(file, "m"); }),
        "its header is not the one that was written");
    file = small_file();
    has(sentence_of<pt::ModelFileTruncated>([&] { pt::ModelReader reader(file.substr(0, file.size() - 1)); }),
        "holds 15 of the 16 bytes");
    has(sentence_of<pt::ModelFileTruncated>([&] { pt::ModelReader reader(file.substr(0, 100)); }), "it was cut off");
}

TEST_CASE("numbers that were never written are invalid", "[persist]") {
    pt::ModelWriter writer(here);
    writer.begin_stage("s", 1);
    writer.vector("flags", std::vector<bool>{true});
    writer.texts("texts", std::vector<std::string>{"ab", "c"});
    const std::string file = writer.bytes();
    const std::size_t data = file.size() - 1 - 3 - 32;  // spans, then flags and bytes
    const auto with = [&](std::size_t at, char value) {
        std::string changed = file;
        changed[data + at] = value;
        sample::repair(changed);
        return changed;
    };
    const auto invalid = [&](const std::string& changed) {
        return sentence_of<pt::ModelFileInvalid>(
            [&] {
                pt::ModelReader reader(changed, "m");
                reader.enter_stage("s", 1);
                reader.vector<bool>("flags");
                reader.texts("texts");
            },
            "s");
    };
    has(invalid(with(32, 2)),
        "m holds no valid model in its stage 1, s: \"1.s.flags\" has a flag that is neither 0 nor 1");
    has(invalid(with(0, 1)), "do not follow each other");   // a gap in front
    has(invalid(with(8, 1)), "do not follow each other");   // a gap between
    has(invalid(with(24, 1)), "do not follow each other");  // backwards
    has(invalid(with(24, 4)), "do not follow each other");  // beyond the bytes
    has(invalid(with(31, '\x80')), "do not follow each other");
    pt::ModelWriter shorter(here);
    shorter.begin_stage("s", 1);
    {
        const auto scope = shorter.scope("t");
        shorter.tensor("spans", std::vector<std::int64_t>{0, 1}, {1, 2});
        shorter.text("bytes", "ab");
    }
    {
        const auto scope = shorter.scope("u");
        shorter.tensor("spans", std::vector<std::int64_t>{0, 1, 1}, {1, 3});
        shorter.text("bytes", "a");
    }
    pt::ModelReader reader(shorter.bytes());
    reader.enter_stage("s", 1);
    has(sentence_of<pt::ModelFileInvalid>([&] { reader.texts("t"); }, "s"), "leave bytes over");
    has(sentence_of<pt::ModelFileMalformed>([&] { reader.texts("u"); }, "s"), "needs two numbers per text");
}

TEST_CASE("a writer refuses ids and names that no reader would take", "[persist]") {
    pt::ModelWriter writer(here);
    CHECK_THROWS_AS(writer.scalar("early", 1), pt::InvalidSetting);
    CHECK_THROWS_AS(writer.begin_stage("", 1), pt::InvalidSetting);
    CHECK_THROWS_AS(writer.begin_stage(std::string(257, 'x'), 1), pt::InvalidSetting);
    writer.begin_stage(std::string(256, 'x'), 1);
    CHECK_THROWS_AS(writer.tensor("m", std::vector<int>{1, 2, 3}, {2, 2}), pt::InvalidSetting);
    writer.scalar("a", 1);
    CHECK_NOTHROW(pt::ModelReader(writer.bytes()));
    writer.scalar("a", 1);
    CHECK_THROWS_AS(writer.bytes(), pt::InvalidSetting);
    pt::ModelWriter many(here);
    for (int i = 0; i < 4096; ++i) many.begin_stage("s", 1);
    CHECK_NOTHROW(pt::ModelReader(many.bytes()));
    CHECK_THROWS_AS(many.begin_stage("s", 1), pt::InvalidSetting);
}

}  // namespace model_file_test
