// SPDX-License-Identifier: Apache-2.0

// Each policy sends along its own topology: read off the messages themselves.

#include "communicator.hpp"

#include <partita/comm/counting.hpp>
#include <partita/comm/simulated.hpp>

#include <catch2/catch.hpp>

#include <bit>
#include <map>
#include <set>

namespace communicator_topology_test {

using namespace communicator_contract;

namespace {

using Counted = pt::Counting<Transport>;

template <class TransportType>
using OneServer = pt::ParameterServer<TransportType>;

/// What all workers sent, in one order.
std::vector<pt::MessageRecord> messages_of_all(const pt::MessageLog& log, std::size_t workers) {
    if (in_process) return log.messages();
    std::vector<std::vector<pt::MessageRecord>> each(workers, log.messages());
    share_out(each);
    pt::MessageLog everyones;
    for (const auto& messages : each)
        for (const pt::MessageRecord& message : messages) everyones.add(message);
    return everyones.messages();
}

/// The messages of one all-reduce of so many words.
template <class Policy>
std::vector<pt::MessageRecord> messages_of_all_reduce(std::size_t workers, std::size_t words,
                                                      std::size_t ring_from_bytes = 0) {
    pt::MessageLog log;
    pt::RunSettings settings{.workers = workers, .instruments = {.messages = &log}};
    settings.ring_from_bytes = ring_from_bytes;
    report<Policy>(settings, [&](pt::Session& session) -> std::string {
        std::vector<std::int64_t> vector(words, 1);
        session.communicator().all_reduce(vector);
        return "";
    });
    return messages_of_all(log, workers);
}

std::uint32_t depth(const std::vector<pt::MessageRecord>& messages) {
    std::uint32_t deepest = 0;
    for (const auto& message : messages) deepest = std::max(deepest, message.step);
    return deepest;
}

}  // namespace

TEST_CASE("the tree: P-1 messages up, P-1 down, root in-degree and depth logarithmic", "[comm][topology]") {
    for (const std::size_t workers : worker_counts({1, 2, 3, 5, 8, 13})) {
        const auto messages = messages_of_all_reduce<pt::TreeAggregate<Counted>>(workers, 100);
        const auto levels = static_cast<std::uint32_t>(std::bit_width(workers - 1));  // ceil(log2 P)
        std::size_t into_root = 0;
        std::map<std::size_t, std::set<std::size_t>> parents, children;
        CAPTURE(workers);
        REQUIRE(messages.size() == 2 * (workers - 1));
        for (const auto& message : messages) {
            CHECK(message.payload_bytes == 800);  // whole vectors, in both directions
            if (message.to == 0) ++into_root;
            if (message.to < message.from) parents[message.from].insert(message.to);
            if (message.to > message.from) children[message.to].insert(message.from);
        }
        CHECK(into_root == levels);
        CHECK(depth(messages) <= 2 * levels);
        if (std::has_single_bit(workers)) CHECK(depth(messages) == 2 * levels);
        CHECK(parents.size() == workers - 1);
        CHECK(parents == children);  // down the way it went up
        for (const auto& [worker, its_parents] : parents) CHECK(its_parents.size() == 1);
    }
}

namespace {

/// How many workers meet in pairs at a time, and the others.
struct Meetings {
    std::size_t members, guests, levels;
    explicit Meetings(std::size_t workers)
        : members(std::bit_floor(workers)),
          guests(workers - members),
          levels(static_cast<std::size_t>(std::bit_width(members)) - 1) {}
    std::size_t steps() const { return levels + (guests == 0 ? 0 : 2); }
};

}  // namespace

TEST_CASE("the ring: neighbours only, 2(P-1) steps, 2(P-1)/P of the vector from each", "[comm][topology]") {
    for (const std::size_t workers : worker_counts({1, 2, 3, 5, 8})) {
        const std::size_t words = 120;  // a multiple of every P here, so that the shares are exact
        const Meetings meetings(workers);
        const auto messages = messages_of_all_reduce<pt::RingAllReduce<Counted>>(workers, words);
        CAPTURE(workers);
        CHECK(depth(messages) >= meetings.levels + 2 * (workers - 1));
        CHECK(depth(messages) <= meetings.steps() + 2 * (workers - 1));
        std::vector<std::size_t> sent_bytes(workers);
        std::size_t rounds = 0;
        for (const auto& message : messages) {
            if (message.payload_bytes == 0) continue;  // that all agree
            ++rounds;
            CHECK(message.to == (message.from + 1) % workers);
            CHECK(message.payload_bytes == words / workers * 8);
            sent_bytes[message.from] += message.payload_bytes;
        }
        CHECK(rounds == workers * 2 * (workers - 1));
        CHECK(messages.size() - rounds == 2 * meetings.guests + meetings.members * meetings.levels);
        for (const std::size_t bytes : sent_bytes) CHECK(bytes == words * 8 * 2 * (workers - 1) / workers);
    }
}

TEST_CASE("the ring sends long vectors in segments, which are under way together", "[comm][topology]") {
    for (const std::size_t workers : worker_counts({2, 3, 5})) {
        const std::size_t segments = 4, words = segments * workers * pt::detail::ring_part_bytes / 8;
        const auto messages = messages_of_all_reduce<pt::RingAllReduce<Counted>>(workers, words);
        CAPTURE(workers);
        std::size_t rounds = 0;
        for (const auto& message : messages) {
            if (message.payload_bytes == 0) continue;
            ++rounds;
            CHECK(message.payload_bytes == pt::detail::ring_part_bytes);
        }
        CHECK(rounds == segments * workers * 2 * (workers - 1));
        // One after another they would take segments · 2(P-1) steps.
        CHECK(depth(messages) <=
              Meetings(workers).steps() + 2 * (workers - 1) + (segments - 1) * (workers - 1) + segments);
    }
}

TEST_CASE("short vectors of the ring: pairs at powers of two, whole vectors or halves", "[comm][topology]") {
    for (const std::size_t workers : worker_counts({2, 3, 5, 8})) {
        const Meetings meetings(workers);
        for (const std::size_t words : {1U, 256U, 1024U}) {
            const auto messages =
                messages_of_all_reduce<pt::RingAllReduce<Counted>>(workers, words, pt::default_ring_from_bytes);
            const bool halves = words == 1024 && workers >= 4;
            const std::size_t members_steps = meetings.levels * (halves ? 2 : 1);
            CAPTURE(workers, words);
            CHECK(messages.size() == 2 * meetings.guests + meetings.members * members_steps);
            CHECK(depth(messages) >= members_steps);
            CHECK(depth(messages) <= members_steps + (meetings.guests == 0 ? 0 : 2));
            std::vector<std::size_t> sent_bytes(workers);
            for (const auto& message : messages) {
                if (message.from >= meetings.members || message.to >= meetings.members) {
                    CHECK(std::max(message.from, message.to) - std::min(message.from, message.to) == meetings.members);
                    CHECK(message.payload_bytes == words * 8);
                    continue;
                }
                CHECK(std::has_single_bit(message.from ^ message.to));
                sent_bytes[message.from] += message.payload_bytes;
            }
            for (std::size_t rank = 0; rank < meetings.members; ++rank)
                CHECK(sent_bytes[rank] ==
                      words * 8 * (halves ? 2 * (meetings.members - 1) : meetings.levels * meetings.members) /
                          meetings.members);
        }
    }
}

TEST_CASE("the server: pushes to the owners of keys, pulls from them, two steps", "[comm][topology]") {
    for (const std::size_t workers : worker_counts({1, 2, 3, 5, 8})) {
        for (const std::size_t words : {2U, 120U}) {
            const auto messages = messages_of_all_reduce<pt::ParameterServer<Counted>>(workers, words);
            CAPTURE(workers, words);
            CHECK(depth(messages) == (workers == 1 ? 0U : 2U));
            std::map<std::pair<std::size_t, std::size_t>, std::size_t> pushed, pulled;
            for (const auto& message : messages) {
                if (message.payload_bytes == 0) continue;  // the status alone
                (message.step == 1 ? pushed : pulled)[{message.from, message.to}] += message.payload_bytes;
            }
            std::size_t pairs = 0;
            for (std::size_t owner = 0; owner < workers; ++owner) {
                const std::size_t keys = pt::share_of(words, owner, workers).count;
                if (keys == 0) continue;
                for (std::size_t worker = 0; worker < workers; ++worker) {
                    if (worker == owner) continue;
                    ++pairs;
                    CHECK(pushed[{worker, owner}] == 8 * keys);  // what it owns and no more
                    CHECK(pulled[{owner, worker}] == 8 * keys);
                }
            }
            CHECK(pushed.size() == pairs);  // no data to or from anybody else
            CHECK(pulled.size() == pairs);
        }
    }
}

TEST_CASE("a simulated run sends what a real one sends", "[comm][topology][simulated]") {
    const auto body = [](pt::Session& session) {
        for (const std::size_t length : {1U, 3U, 1000U}) {
            std::vector<std::int64_t> words(length, 5);
            session.communicator().all_reduce(words);
        }
        pt::Bytes mine(10 * session.rank(), std::byte{1});
        session.communicator().all_gather(mine);
        session.communicator().broadcast(mine, session.size() - 1);
        const std::string failed = outcome([&] {
            session.communicator().agree(pt::attempt([&] {
                if (session.rank() == 1) throw pt::EmptyDataset("none");
            }));
        });
        return session.rank() == 1 || failed != "fine" ? std::string{} : "the error was lost";
    };
    const auto compare = [&]<template <class> class Policy>(std::size_t workers) {
        pt::MessageLog log;
        CHECK(report<Policy<Counted>>({.workers = workers, .instruments = {.messages = &log}}, body) ==
              all(workers, ""));
        const auto real = messages_of_all(log, workers);
        pt::MessageLog simulated;
        for (const auto& message :
             pt::simulate<Policy<pt::Simulated>>({.keeps_messages = true}, workers, body).messages)
            simulated.add(message);
        CAPTURE(workers);
        CHECK(!real.empty());
        CHECK(simulated.messages() == real);
    };
    for (const std::size_t workers : worker_counts({2, 3, 4, 5, 6, 7, 8})) {
        compare.template operator()<pt::RingAllReduce>(workers);
        compare.template operator()<pt::TreeAggregate>(workers);
        compare.template operator()<OneServer>(workers);
        compare.template operator()<Star>(workers);
    }
}

TEST_CASE("an error travels in the place of data", "[comm][topology]") {
    for (const std::size_t workers : worker_counts({3})) {
        pt::MessageLog log;
        report<pt::RingAllReduce<Counted>>(
            {.workers = workers, .instruments = {.messages = &log}}, [&](pt::Session& session) -> std::string {
                std::vector<std::int64_t> words(pt::default_ring_from_bytes / 8);
                return outcome([&] {
                    session.communicator().all_reduce(words, pt::Reduction::sum, pt::attempt([&] {
                                                          if (session.rank() == 1) throw pt::EmptyDataset("none");
                                                      }));
                });
            });
        const auto messages = messages_of_all(log, workers);
        std::size_t failed = 0;
        for (const auto& message : messages) {
            if (!message.failed) continue;
            ++failed;
            CHECK(message.payload_bytes < 300);
        }
        CHECK(failed == 2);           // from worker 1 to 0, and from there to 2
        CHECK(messages.size() == 4);  // nobody sets out once all know
    }
}

TEST_CASE("shares cover the items in order and differ by at most one", "[comm]") {
    for (const std::size_t size : {1U, 2U, 3U, 5U, 8U}) {
        for (std::size_t items = 0; items < 40; ++items) {
            std::size_t next = 0, smallest = items, largest = 0;
            for (std::size_t rank = 0; rank < size; ++rank) {
                const pt::Share share = pt::share_of(items, rank, size);
                REQUIRE(share.first == next);
                next += share.count;
                smallest = std::min(smallest, share.count);
                largest = std::max(largest, share.count);
            }
            REQUIRE(next == items);
            REQUIRE(largest - smallest <= 1);
        }
    }
}

}  // namespace communicator_topology_test
