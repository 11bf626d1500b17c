// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <partita/persist/json.hpp>

#include <nlohmann/json.hpp>

#include <limits>
#include <random>
#include <string>
#include <vector>

namespace json_test {

namespace pt = partita;
using Oracle = nlohmann::ordered_json;

namespace {

/// Reads any value into the oracle's tree; refuses keys that come twice, as every caller of the reader has to.
Oracle read_value(pt::JsonReader& json) {
    switch (json.peek()) {
        case pt::JsonKind::object: {
            Oracle out = Oracle::object();
            std::string key;
            json.begin_object();
            while (json.next_key(key)) {
                if (out.contains(key)) json.fail("twice");
                out[key] = read_value(json);
            }
            return out;
        }
        case pt::JsonKind::array: {
            Oracle out = Oracle::array();
            json.begin_array();
            while (json.next_item()) out.push_back(read_value(json));
            return out;
        }
        case pt::JsonKind::string: return json.string();
        case pt::JsonKind::boolean: return json.boolean();
        case pt::JsonKind::integer: return json.integer();
    }
    return {};
}
Oracle read(const std::string& text) {
    pt::JsonReader json(text, "file", "part");
    Oracle out = read_value(json);
    json.end();
    return out;
}
bool accepts(const std::string& text) {
    try {
        read(text);
        return true;
    } catch (const pt::ModelFileMalformed&) {
        return false;
    }
}

void write_value(pt::JsonWriter& json, const Oracle& value) {
    if (value.is_object()) {
        json.begin_object();
        for (const auto& [key, member] : value.items()) {
            json.key(key);
            write_value(json, member);
        }
        json.end_object();
    } else if (value.is_array()) {
        json.begin_array();
        for (const Oracle& item : value) write_value(json, item);
        json.end_array();
    } else if (value.is_string()) {
        json.string(value.get_ref<const std::string&>());
    } else if (value.is_boolean()) {
        json.boolean(value.get<bool>());
    } else {
        json.integer(value.get<std::int64_t>());
    }
}

using Engine = std::mt19937_64;

std::string random_text(Engine& engine) {
    static const std::vector<std::string> pieces{"a",
                                                 "\"",
                                                 "\\",
                                                 "/",
                                                 "\b",
                                                 "\f",
                                                 "\n",
                                                 "\r",
                                                 "\t",
                                                 "\x01",
                                                 "\x1F",
                                                 "\x7F",
                                                 "\xC3\xA9",
                                                 "\xE2\x82\xAC",
                                                 "\xF0\x9F\x98\x80",
                                                 "\xEF\xBF\xBF",
                                                 std::string(1, '\0')};
    std::string out;
    for (std::size_t i = engine() % 6; i > 0; --i) out += pieces[engine() % pieces.size()];
    return out;
}
Oracle random_value(Engine& engine, int depth) {
    switch (engine() % (depth == 0 ? 3 : 5)) {
        case 0: return random_text(engine);
        case 1: return engine() % 2 == 0;
        case 2: return static_cast<std::int64_t>(engine()) >> (engine() % 64);
        case 3: {
            Oracle out = Oracle::array();
            for (std::size_t i = engine() % 5; i > 0; --i) out.push_back(random_value(engine, depth - 1));
            return out;
        }
        default: {
            Oracle out = Oracle::object();
            for (std::size_t i = engine() % 5; i > 0; --i) out[random_text(engine)] = random_value(engine, depth - 1);
            return out;
        }
    }
}

/// Whether the oracle's value is within what our JSON has, other than in its depth.
bool in_subset(const Oracle& value) {
    if (value.is_number_float() || value.is_null()) return false;
    if (value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{1} << 62) return false;
    if (value.is_structured()) {
        for (const Oracle& item : value) {
            if (!in_subset(item)) return false;
        }
    }
    return true;
}

}  // namespace

TEST_CASE("what is written is what another library writes, and reads as the same", "[persist]") {
    Engine engine(1);
    for (int i = 0; i < 3000; ++i) {
        const Oracle value = random_value(engine, 5);
        pt::JsonWriter json;
        write_value(json, value);
        REQUIRE(json.text() == value.dump());
        REQUIRE(read(json.text()) == value);
        REQUIRE(read(value.dump(2)) == value);              // with white space
        REQUIRE(read(value.dump(-1, ' ', true)) == value);  // with \u escapes
    }
}

TEST_CASE("damaged texts are accepted only where another library accepts them, and as the same value", "[persist]") {
    Engine engine(2);
    const std::string letters = "{}[]\",:\\0123456789-truefalsn. \x80\xC3\xED\xF4";
    int accepted = 0, refused = 0;
    for (int i = 0; i < 20000; ++i) {
        std::string text = random_value(engine, 3).dump();
        for (std::size_t count = engine() % 3; count > 0; --count) {
            const std::size_t at = engine() % text.size();
            const char letter = letters[engine() % letters.size()];
            if (engine() % 2 == 0) text[at] = letter;
            else text.insert(at, 1, letter);
        }
        const Oracle oracle = Oracle::parse(text, nullptr, false);
        if (accepts(text)) {
            ++accepted;
            INFO(text);
            REQUIRE(!oracle.is_discarded());
            REQUIRE(read(text) == oracle);
        } else {
            ++refused;
            // The oracle knows more numbers, keeps the last of equal keys, and takes -0 for an integer.
            const bool ours = !oracle.is_discarded() && in_subset(oracle) && oracle.dump().size() == text.size();
            INFO(text);
            REQUIRE(!ours);
        }
    }
    CHECK(accepted > 5000);
    CHECK(refused > 5000);
}

TEST_CASE("strictness, one by one", "[persist]") {
    for (const char* text : {"",
                             " ",
                             "{",
                             "}",
                             "[",
                             "[1",
                             "[1,]",
                             "[,1]",
                             "[1 2]",
                             "{\"a\"}",
                             "{\"a\":}",
                             "{\"a\":1,}",
                             "{a:1}",
                             "{1:1}",
                             "[1]]",
                             "1 1",
                             "{\"a\":1,\"a\":2}",
                             "[1}",
                             "{\"a\":1]",
                             "null",
                             "[null]",
                             "tru",
                             "trueX",
                             "TRUE",
                             "fals",
                             "'a'",
                             "// c\n1",
                             "\xEF\xBB\xBF"
                             "1",
                             "1.0",
                             "1e3",
                             "1E3",
                             "01",
                             "-01",
                             "-0",
                             "-",
                             "+1",
                             "0x1",
                             "1_0",
                             "NaN",
                             "Infinity",
                             "9223372036854775808",
                             "-9223372036854775809",
                             "\"",
                             "\"a",
                             "\"\\\"",
                             "\"\\",
                             "\"\\x\"",
                             "\"\\u\"",
                             "\"\\u12\"",
                             "\"\\u123g\"",
                             "\"\\u+123\"",
                             "\"\\u-123\"",
                             "\"\\ud800\"",
                             "\"\\udc00\"",
                             "\"\\ud800\\u0041\"",
                             "\"\\ud800x\"",
                             "\"\\ud800\\n\"",
                             "\"\n\"",
                             "\"\t\"",
                             "\"\x1f\"",
                             "\"\x80\"",
                             "\"\xC3\"",
                             "\"\xC0\x80\"",
                             "\"\xC1\xBF\"",
                             "\"\xE0\x80\x80\"",
                             "\"\xE0\x9F\xBF\"",
                             "\"\xED\xA0\x80\"",
                             "\"\xF0\x8F\xBF\xBF\"",
                             "\"\xF4\x90\x80\x80\"",
                             "\"\xF5\x80\x80\x80\"",
                             "\"\xE2\x82\"",
                             "\"\xF0\x9F\x98\"",
                             "\"\xFF\"",
                             "\"\xC3\x28\""}) {
        INFO(text);
        CHECK(!accepts(text));
    }
    CHECK(!accepts(std::string("\"a\0b\"", 5)));
    CHECK(!accepts(std::string("1\0", 2)));
    CHECK(read("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
    CHECK(read("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
    CHECK(read(" \n\r\t[ 0 , -1 , { } , [ ] ] ") == Oracle::parse("[0,-1,{},[]]"));
    CHECK(read("\"\\ud83d\\ude00 \\u00e9 \\u20ac \\/ \\u0000\"") ==
          std::string("\xF0\x9F\x98\x80 \xC3\xA9 \xE2\x82\xAC / \0", 15));
}

TEST_CASE("values nest to depth 16 and no further", "[persist]") {
    CHECK(accepts(std::string(16, '[') + std::string(16, ']')));
    CHECK(!accepts(std::string(17, '[') + std::string(17, ']')));
    CHECK(!accepts(std::string(1000000, '[')));
    std::string wide = "[";
    for (int i = 0; i < 100; ++i) wide += "[[]],";
    CHECK(accepts(wide + "{}]"));
}

TEST_CASE("what comes must be what was asked for, and the error says where", "[persist]") {
    const auto fails = [](const std::string& text, auto ask) {
        pt::JsonReader json(text, "m.safetensors", "manifest");
        try {
            ask(json);
        } catch (const pt::ModelFileMalformed& error) {
            CHECK(error.place().file == "m.safetensors");
            CHECK(std::string(error.what()).find("the manifest of m.safetensors is malformed at its byte") == 0);
            return true;
        }
        return false;
    };
    CHECK(fails("[]", [](pt::JsonReader& json) { json.begin_object(); }));
    CHECK(fails("{}", [](pt::JsonReader& json) { json.begin_array(); }));
    CHECK(fails("1", [](pt::JsonReader& json) { json.string(); }));
    CHECK(fails("\"1\"", [](pt::JsonReader& json) { json.integer(); }));
    CHECK(fails("1", [](pt::JsonReader& json) { json.boolean(); }));
    CHECK(fails("-1", [](pt::JsonReader& json) { json.count(); }));
    CHECK(fails("[1,2]", [](pt::JsonReader& json) {
        json.begin_array();
        json.next_item();
        json.integer();
        json.end_array();
    }));
    CHECK(fails("{\"b\":1}", [](pt::JsonReader& json) {
        json.begin_object();
        json.key("a");
    }));
    CHECK(fails("{}", [](pt::JsonReader& json) {
        json.begin_object();
        json.key("a");
    }));
    CHECK(fails("{\"b\":1}", [](pt::JsonReader& json) {
        json.begin_object();
        json.end_object();
    }));
    CHECK(!fails("{\"a\":3}", [](pt::JsonReader& json) {
        json.begin_object();
        json.key("a");
        CHECK(json.count() == 3);
        json.end_object();
        json.end();
    }));
}

TEST_CASE("text that is not UTF-8 is not written", "[persist]") {
    pt::JsonWriter json;
    CHECK_THROWS_AS(json.string("\xFF"), pt::InvalidSetting);
    CHECK(pt::is_utf8("caf\xC3\xA9"));
    CHECK(!pt::is_utf8("caf\xC3"));
}

}  // namespace json_test
