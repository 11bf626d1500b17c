// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <partita/persist/checksum.hpp>

#include <string>
#include <string_view>

namespace checksum_test {

namespace pt = partita;

namespace {
std::uint64_t hash(std::string_view text, std::uint64_t seed = 0) {
    return pt::checksum(std::as_bytes(std::span(text)), seed);
}
}  // namespace

TEST_CASE("XXH64 of published and of independently computed inputs", "[persist]") {
    CHECK(hash("") == 0xEF46DB3751D8E999u);
    CHECK(hash("a") == 0xD24EC4F1A98C6E5Bu);
    CHECK(hash("abc") == 0x44BC2CF5AD770999u);
    // Of bytes 0, 1, 2, …: lengths around each of the algorithm's steps (1, 4, 8 and 32 bytes), and a seed; values from the reference implementation.
    std::string bytes;
    for (int i = 0; i < 101; ++i) bytes.push_back(static_cast<char>(i));
    struct Vector {
        std::size_t length;
        std::uint64_t plain, seeded;
    };
    const Vector vectors[] = {
        {0, 0xEF46DB3751D8E999u, 0x0B303D920EC349DFu},   {1, 0xE934A84ADB052768u, 0x9C6678669FCD2E6Du},
        {3, 0xE5C7BB4533BC65DDu, 0xF465322E2768434Fu},   {4, 0xFFCED8604453CC1Eu, 0x6105C2E67219DEC8u},
        {5, 0xDD0274386E26030Cu, 0x97B06284FC536B70u},   {7, 0x14CC643F630C72D2u, 0x625ACC63365064BDu},
        {8, 0x884A173614B81B8Du, 0xB55F66AFFCC24E70u},   {12, 0x424AF23F1F08DCA5u, 0xBF51FB14BCFE7BDCu},
        {31, 0xC346D2B59B4D8EE1u, 0xF6A0359CAC5381BAu},  {32, 0xCBF59C5116FF32B4u, 0xBC9B546AB584ABD0u},
        {33, 0x0C535D1ACAFB8EADu, 0xA11BD47EF728DA75u},  {63, 0xE26AA9E2A95F8E4Fu, 0x550D67CDCEB02F14u},
        {64, 0xF7C67301DB6713F0u, 0x6517F78C897AD8FEu},  {100, 0x6AC1E58032166597u, 0x76C675ECA518BB3Cu},
        {101, 0xE99038495F85381Eu, 0x13B57B300B1F5A6Fu},
    };
    for (const Vector& vector : vectors) {
        INFO(vector.length);
        CHECK(hash(std::string_view(bytes).substr(0, vector.length)) == vector.plain);
        CHECK(hash(std::string_view(bytes).substr(0, vector.length), 0x9E3779B185EBCA8Du) == vector.seeded);
    }
}

TEST_CASE("a checksum's text has 16 digits", "[persist]") {
    CHECK(pt::checksum_text(0) == "0000000000000000");
    CHECK(pt::checksum_text(0x0123456789ABCDEFu) == "0123456789abcdef");
}

}  // namespace checksum_test
