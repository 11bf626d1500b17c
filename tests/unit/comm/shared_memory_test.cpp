// SPDX-License-Identifier: Apache-2.0

#include <partita/comm/shared_memory/neighbours.hpp>

#include <catch2/catch.hpp>

#include <cstring>
#include <thread>
#include <vector>

namespace shared_memory_test {

namespace detail = partita::detail;
using detail::SharedSlots;
using partita::Bytes;
using partita::MessageHeader;

namespace {

struct Memory {
    std::vector<SharedSlots::Head> lines =
        std::vector<SharedSlots::Head>(SharedSlots::size_bytes / SharedSlots::line_bytes);
    std::byte* data() { return reinterpret_cast<std::byte*>(lines.data()); }
};

Bytes pattern(std::size_t bytes, std::size_t seed) {
    Bytes made(bytes);
    for (std::size_t i = 0; i < bytes; ++i) made[i] = static_cast<std::byte>(i * 7 + i / 251 + seed);
    return made;
}

/// Sends without waiting, as a channel does.
void send(detail::SharedWriter& writer, std::uint64_t number, const Bytes& bytes) {
    detail::SharedMessage message{{.sequence = number, .payload_bytes = bytes.size()}, bytes};
    writer.write(message);
    writer.keep(message);
}

/// Takes what is here of the next message.
bool take(detail::SharedReader& reader, MessageHeader& header, Bytes& bytes) {
    return reader.read(header, [&](const MessageHeader& begun, std::size_t at, std::span<const std::byte> part) {
        if (at == 0) bytes.assign(static_cast<std::size_t>(begun.payload_bytes), std::byte{});
        if (!part.empty()) std::memcpy(bytes.data() + at, part.data(), part.size());
    });
}

constexpr std::size_t whole_ring = SharedSlots::slots * SharedSlots::slot_bytes;
constexpr std::size_t sizes[] = {0,
                                 1,
                                 8,
                                 16,
                                 17,
                                 64,
                                 SharedSlots::slot_bytes - 1,
                                 SharedSlots::slot_bytes,
                                 SharedSlots::slot_bytes + 1,
                                 whole_ring - 1,
                                 whole_ring + 1,
                                 2 * whole_ring + 5};

}  // namespace

TEST_CASE("messages of every size arrive whole and in order, many times round the slots", "[comm][shared_memory]") {
    Memory memory;
    detail::SharedWriter writer(memory.data());
    detail::SharedReader reader(memory.data());
    std::uint64_t number = 0;
    for (int turn = 0; turn < 3; ++turn) {
        for (const std::size_t bytes : sizes) {
            ++number;
            send(writer, number, pattern(bytes, number));
            MessageHeader header;
            Bytes received;
            while (!take(reader, header, received)) writer.flush();
            CHECK(header.sequence == number);
            CHECK(received == pattern(bytes, number));
            CHECK(writer.flush());
            CHECK_FALSE(reader.has_arrived());
        }
    }
}

TEST_CASE("what finds no slot waits, and nothing overtakes it", "[comm][shared_memory]") {
    Memory memory;
    detail::SharedWriter writer(memory.data());
    detail::SharedReader reader(memory.data());
    for (std::uint64_t number = 1; number <= 5 * SharedSlots::slots; ++number)
        send(writer, number, pattern(number % 3 == 0 ? SharedSlots::slot_bytes + number : number % 40, number));
    CHECK_FALSE(writer.flush());
    for (std::uint64_t number = 1; number <= 5 * SharedSlots::slots; ++number) {
        MessageHeader header;
        Bytes received;
        while (!take(reader, header, received)) writer.flush();
        REQUIRE(header.sequence == number);
        REQUIRE(received == pattern(number % 3 == 0 ? SharedSlots::slot_bytes + number : number % 40, number));
    }
    CHECK(writer.flush());
}

TEST_CASE("the rest of a message that nobody wants is skipped, whenever it comes", "[comm][shared_memory]") {
    for (const std::size_t read_slots : {0U, 1U, 3U}) {
        Memory memory;
        detail::SharedWriter writer(memory.data());
        detail::SharedReader reader(memory.data());
        send(writer, 1, pattern(2 * whole_ring, 1));
        send(writer, 2, pattern(100, 2));
        MessageHeader header;
        std::size_t seen = 0;
        CHECK_FALSE(reader.read(
            header, [&](const MessageHeader&, std::size_t, std::span<const std::byte> part) { seen += part.size(); },
            read_slots));
        CHECK(seen == read_slots * SharedSlots::slot_bytes);
        reader.drop();
        Bytes received;
        while (!take(reader, header, received)) writer.flush();
        if (read_slots == 0) {  // nothing had begun
            CHECK(header.sequence == 1);
            while (!take(reader, header, received)) writer.flush();
        }
        CHECK(header.sequence == 2);
        CHECK(received == pattern(100, 2));
    }
}

TEST_CASE("two threads, as two processes would", "[comm][shared_memory]") {
    Memory memory;
    constexpr std::uint64_t messages = 3000;
    const auto bytes_of = [](std::uint64_t number) {
        return static_cast<std::size_t>(number % 50 == 0 ? 3 * SharedSlots::slot_bytes + number : number % 200);
    };
    std::thread sender([&] {
        detail::SharedWriter writer(memory.data());
        for (std::uint64_t number = 1; number <= messages; ++number)
            send(writer, number, pattern(bytes_of(number), number));
        while (!writer.flush()) std::this_thread::yield();
    });
    detail::SharedReader reader(memory.data());
    std::uint64_t wrong = 0;
    for (std::uint64_t number = 1; number <= messages; ++number) {
        MessageHeader header;
        Bytes received;
        while (!take(reader, header, received)) std::this_thread::yield();
        if (header.sequence != number || received != pattern(bytes_of(number), number)) ++wrong;
    }
    sender.join();
    CHECK(wrong == 0);
}

#if defined(__linux__)
TEST_CASE("neighbours find each other's memory, or do without", "[comm][shared_memory]") {
    const auto all_find = [](bool spoilt) {
        detail::SharedNeighbours first, second;
        std::vector<detail::SharedNeighbours::Offer> offers{first.offer({0, 2}, 0), {}, second.offer({0, 2}, 2)};
        if (spoilt) offers[2].key ^= 1;  // another process by now, or on another machine
        const bool agreed = first.accept(offers) && second.accept(offers);
        first.settle(agreed);
        second.settle(agreed);
        CHECK(first.find(0) == nullptr);
        CHECK(first.find(1) == nullptr);
        CHECK((first.find(2) != nullptr) == agreed);
        if (agreed) {
            send(first.find(2)->to, 7, pattern(70000, 7));
            MessageHeader header;
            Bytes received;
            CHECK(take(second.find(0)->from, header, received));
            CHECK(received == pattern(70000, 7));
            first.find(2)->notices.fetch_add(1);
            CHECK(second.notices() == 1);
            CHECK(first.notices() == 0);
        }
        return agreed;
    };
    CHECK(all_find(false));
    CHECK_FALSE(all_find(true));
}
#endif

}  // namespace shared_memory_test
