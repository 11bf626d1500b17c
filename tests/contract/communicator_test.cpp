// SPDX-License-Identifier: Apache-2.0

// The laws of every communication policy: values, and errors that meet on all workers.

#include "communicator.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace communicator_test {

using namespace communicator_contract;

static_assert(pt::Communicator<pt::LocalThreads>);
static_assert(pt::Communicator<pt::TreeAggregate<>>);
static_assert(pt::Communicator<pt::RingAllReduce<>>);
static_assert(pt::Communicator<pt::ParameterServer<>>);
static_assert(pt::Communicator<pt::ParameterServer<pt::InProcess, pt::Bsp>>);
static_assert(pt::Communicator<Star<>>);
static_assert(!pt::Communicator<int>);
static_assert(!pt::Communicator<pt::Link>);

TEMPLATE_TEST_CASE("collectives give the same values on every worker", "[comm]", pt::TreeAggregate<Transport>,
                   pt::RingAllReduce<Transport>, pt::ParameterServer<Transport>, Star<>) {
    for (const std::size_t workers : worker_counts({1, 2, 3, 5, 8})) {
        const auto lines = report<TestType>({.workers = workers}, [&](pt::Session& session) -> std::string {
            pt::CommunicatorBase& communicator = session.communicator();
            if (session.size() != workers || communicator.rank() != session.rank()) return "wrong size or rank";
            for (const std::size_t length : {0U, 1U, 2U, 3U, 7U, 64U, 1000U}) {
                std::vector<std::int64_t> sums(length), maxima(length), expected_sums(length), expected_maxima(length);
                for (std::size_t i = 0; i < length; ++i) {
                    std::uint64_t sum = 0;  // the full range of the words, so that the sums wrap around
                    std::int64_t maximum = std::numeric_limits<std::int64_t>::min();
                    for (std::size_t rank = 0; rank < workers; ++rank) {
                        const std::uint64_t word = scrambled(i, static_cast<std::uint32_t>(rank), length);
                        sum += word;
                        maximum = std::max(maximum, static_cast<std::int64_t>(word));
                    }
                    expected_sums[i] = static_cast<std::int64_t>(sum);
                    expected_maxima[i] = maximum;
                    sums[i] = maxima[i] =
                        static_cast<std::int64_t>(scrambled(i, static_cast<std::uint32_t>(session.rank()), length));
                }
                communicator.all_reduce(sums);
                communicator.all_reduce(maxima, pt::Reduction::maximum);
                if (sums != expected_sums) return "wrong sum of length " + std::to_string(length);
                if (maxima != expected_maxima) return "wrong maximum of length " + std::to_string(length);
            }
            const auto bytes_of = [](std::size_t rank) {
                return pt::Bytes((rank * 37) % 101, static_cast<std::byte>(rank));
            };
            const auto gathered = communicator.all_gather(bytes_of(session.rank()));
            if (gathered.size() != workers) return "wrong number of gathered";
            for (std::size_t rank = 0; rank < workers; ++rank) {
                if (gathered[rank] != bytes_of(rank)) return "wrong bytes of " + std::to_string(rank);
            }
            std::vector<pt::Bytes> outgoing(workers);
            for (std::size_t to = 0; to < workers; ++to) outgoing[to] = bytes_of(session.rank() * 8 + to);
            const auto incoming = communicator.all_to_all(std::move(outgoing));
            if (incoming.size() != workers) return "wrong number of incoming";
            for (std::size_t from = 0; from < workers; ++from) {
                if (incoming[from] != bytes_of(from * 8 + session.rank()))
                    return "wrong bytes for this worker from " + std::to_string(from);
            }
            if (outcome([&] { communicator.all_to_all(std::vector<pt::Bytes>(workers + 1)); }) !=
                "invalid_setting of 0")
                return "one message too many";
            for (std::size_t root = 0; root < workers; ++root) {
                pt::Bytes bytes = bytes_of(session.rank());
                communicator.broadcast(bytes, root);
                if (bytes != bytes_of(root)) return "wrong broadcast from " + std::to_string(root);
            }
            communicator.barrier();
            return "fine";
        });
        CAPTURE(workers);
        CHECK(lines == all(workers, "fine"));
    }
}

TEMPLATE_TEST_CASE("long vectors", "[comm]", pt::TreeAggregate<Transport>, pt::RingAllReduce<Transport>,
                   pt::ParameterServer<Transport>, Star<>) {
    for (const std::size_t workers : worker_counts({2, 3, 4})) {
        const auto lines = report<TestType>({.workers = workers}, [&](pt::Session& session) -> std::string {
            // Twice beyond what a transport between processes sends in one piece.
            std::vector<std::int64_t> words(1'200'001, static_cast<std::int64_t>(session.rank()) + 1);
            session.communicator().all_reduce(words);
            const auto sum = static_cast<std::int64_t>(workers * (workers + 1) / 2);
            if (words != std::vector<std::int64_t>(words.size(), sum)) return "wrong";
            // About the border between two pieces, where a header would not fit.
            for (const int beside : {-33, -32, -31, -1, 0, 1}) {
                const auto bytes = static_cast<std::size_t>((4 << 20) + beside);
                pt::Bytes sent(session.rank() == 0 ? bytes : 0, std::byte{7});
                session.communicator().broadcast(sent);
                if (sent != pt::Bytes(bytes, std::byte{7})) return "wrong broadcast of " + std::to_string(bytes);
            }
            return "fine";
        });
        CHECK(lines == all(workers, "fine"));
    }
}

TEST_CASE("each side of every border between the forms of the ring", "[comm]") {
    for (const std::size_t workers : worker_counts({2, 3, 4, 5, 8})) {
        for (const std::size_t ring_from_bytes : {std::size_t{0}, std::size_t{4096}, pt::default_ring_from_bytes}) {
            pt::RunSettings settings{.workers = workers};
            settings.ring_from_bytes = ring_from_bytes;
            const auto lines = report<pt::RingAllReduce<Transport>>(settings, [&](pt::Session& session) -> std::string {
                const std::size_t segment = workers * pt::detail::ring_part_bytes / 8;
                for (const std::size_t length :
                     {std::size_t{1}, 2 * workers - 1, 2 * workers, 2 * workers + 1, std::size_t{256}, std::size_t{257},
                      std::size_t{511}, std::size_t{512}, std::size_t{513}, segment - 1, segment, segment + 1,
                      pt::default_ring_from_bytes / 8 - 1, pt::default_ring_from_bytes / 8, 3 * segment + 5}) {
                    std::vector<std::int64_t> sums(length), maxima(length);
                    for (std::size_t i = 0; i < length; ++i) {
                        sums[i] = static_cast<std::int64_t>(i * i + session.rank());
                        maxima[i] = static_cast<std::int64_t>((i + session.rank()) % workers);
                    }
                    session.communicator().all_reduce(sums);
                    session.communicator().all_reduce(maxima, pt::Reduction::maximum);
                    for (std::size_t i = 0; i < length; ++i) {
                        if (sums[i] != static_cast<std::int64_t>(workers * i * i + workers * (workers - 1) / 2))
                            return "wrong sum " + std::to_string(i) + " of " + std::to_string(length);
                        if (maxima[i] != static_cast<std::int64_t>(workers - 1))
                            return "wrong maximum " + std::to_string(i) + " of " + std::to_string(length);
                    }
                }
                return "fine";
            });
            CAPTURE(workers, ring_from_bytes);
            CHECK(lines == all(workers, "fine"));
        }
    }
}

TEMPLATE_TEST_CASE("vectors of different lengths are refused on all, errors go before, and the session goes on",
                   "[comm]", pt::TreeAggregate<Transport>, pt::RingAllReduce<Transport>, pt::ParameterServer<Transport>,
                   Star<>) {
    for (const std::size_t workers : worker_counts({2, 3, 4, 5, 8})) {
        const std::size_t lengths[] = {1, 2, 300, 301, 600, 601};  // of every form of the ring
        pt::RunSettings settings{.workers = workers, .deadline_seconds = 20};
        settings.ring_from_bytes = 4096;
        for (const std::size_t odd : {std::size_t{0}, workers / 2, workers - 1}) {
            const auto lines = report<TestType>(settings, [&](pt::Session& session) -> std::string {
                const bool mine = session.rank() == odd;
                for (const std::size_t others : lengths) {
                    for (const std::size_t its : lengths) {
                        std::vector<std::int64_t> words(mine ? its : others, 1);
                        const std::string refused = outcome([&] { session.communicator().all_reduce(words); });
                        const std::string wanted = its == others ? "fine" : "collective_mismatch";
                        if (!refused.starts_with(wanted))
                            return std::to_string(its) + " and " + std::to_string(others) + ": " + refused;
                        words.resize(mine ? its : others);
                        const std::string failed = outcome([&] {
                            session.communicator().all_reduce(words, pt::Reduction::sum, pt::attempt([&] {
                                                                  if (mine) throw pt::EmptyDataset("none");
                                                              }));
                        });
                        if (failed != "empty_dataset of " + std::to_string(odd))
                            return "an error beside " + std::to_string(its) + " and " + std::to_string(others) + ": " +
                                   failed;
                    }
                }
                return "fine";
            });
            CAPTURE(workers, odd);
            CHECK(lines == all(workers, "fine"));
        }
    }
}

TEMPLATE_TEST_CASE("an error of one worker is thrown by all, and the session goes on", "[comm]",
                   pt::TreeAggregate<Transport>, pt::RingAllReduce<Transport>, pt::ParameterServer<Transport>, Star<>) {
    for (const std::size_t workers : worker_counts({1, 2, 3, 5, 8})) {
        for (std::size_t thrower = 0; thrower < workers; ++thrower) {
            const auto lines = report<TestType>({.workers = workers}, [&](pt::Session& session) -> std::string {
                pt::CommunicatorBase& communicator = session.communicator();
                const bool mine = session.rank() == thrower;
                const auto typed = pt::attempt([&] {
                    if (mine) throw pt::EmptyDataset("no rows", pt::Place{.file = "trips.csv", .line = 7});
                });
                const auto foreign = pt::attempt([&] {
                    if (mine) throw std::runtime_error("foreign");
                });
                const auto number = pt::attempt([&] {
                    if (mine) throw 42;
                });
                std::string log;
                std::vector<std::int64_t> words(mine ? 0 : 10);  // a worker with an error need not know the length
                pt::Bytes bytes(5);
                log += outcome([&] { communicator.all_reduce(words, pt::Reduction::sum, typed); }) + "; ";
                log += outcome([&] { communicator.all_gather(bytes, typed); }) + "; ";
                log += outcome([&] { communicator.broadcast(bytes, 0, typed); }) + "; ";
                log +=
                    outcome([&] { communicator.all_to_all(std::vector<pt::Bytes>(mine ? 0 : workers), typed); }) + "; ";
                log += outcome([&] { communicator.agree(foreign); }) + "; ";
                log += outcome([&] { communicator.agree(number); }) + "; ";
                std::int64_t one = 1;
                communicator.all_reduce({&one, 1});
                return log + std::to_string(one);
            });
            CAPTURE(workers, thrower);
            const std::string of = " of " + std::to_string(thrower);
            const std::string empty = "empty_dataset" + of + "; ", typed = empty + empty + empty + empty;
            for (std::size_t rank = 0; rank < workers; ++rank) {
                CHECK(lines[rank] == typed +
                                         (rank == thrower ? "original foreign; original int 42; "
                                                          : "remote_error" + of + ": std::runtime_error; remote_error" +
                                                                of + ": int; ") +
                                         std::to_string(workers));
            }
        }
    }
}

TEMPLATE_TEST_CASE("of several errors the lowest block wins, then the lowest rank", "[comm]",
                   pt::TreeAggregate<Transport>, pt::RingAllReduce<Transport>, pt::ParameterServer<Transport>, Star<>) {
    for (const std::size_t workers : worker_counts({2, 3, 5, 8})) {
        const std::size_t last = workers - 1;
        const auto lines = report<TestType>({.workers = workers}, [&](pt::Session& session) -> std::string {
            const auto rank = static_cast<std::int64_t>(session.rank());
            std::string log;
            // blocks fall with the rank: the last worker's is the lowest
            log += outcome([&] {
                       session.communicator().agree(
                           pt::attempt([&] { throw pt::BadValue("bad", pt::Place{.block = 100 - rank}); }));
                   }) +
                   "; ";
            // the block is only known to the caller
            log += outcome([&] {
                       session.communicator().agree({std::make_exception_ptr(pt::BadQuote("bad")), rank == 1 ? 3 : 4});
                   }) +
                   "; ";
            // no blocks: the lowest rank; with a block goes before without
            log += outcome([&] {
                       session.communicator().agree(
                           rank == 0 ? pt::PendingError{}
                                     : pt::PendingError{std::make_exception_ptr(pt::FileError("gone"))});
                   }) +
                   "; ";
            log += outcome([&] {
                session.communicator().agree(
                    {std::make_exception_ptr(pt::MissingValue("none")), session.rank() == last ? 9 : -1});
            });
            return log;
        });
        CAPTURE(workers);
        CHECK(lines == all(workers, "bad_value of " + std::to_string(last) +
                                        "; bad_quote of 1; file_error of 1; missing_value of " + std::to_string(last)));
    }
}

TEMPLATE_TEST_CASE("random sequences of calls equal a model of them", "[comm]", pt::TreeAggregate<Transport>,
                   pt::RingAllReduce<Transport>, pt::ParameterServer<Transport>, Star<>) {
    for (const std::size_t workers : worker_counts({1, 2, 3, 5, 8})) {
        const auto lines = report<TestType>({.workers = workers}, [&](pt::Session& session) -> std::string {
            pt::CommunicatorBase& communicator = session.communicator();
            for (std::uint64_t call = 0; call < 150; ++call) {
                const std::uint64_t draw = scrambled(call, static_cast<std::uint32_t>(workers));
                const std::size_t length = (draw >> 8) % 40;
                const std::size_t thrower = (draw >> 16) % (4 * workers);  // three in four calls have no error
                const bool mine = session.rank() == thrower;
                const auto pending = pt::attempt([&] {
                    if (mine) throw pt::NotConverged("no");
                });
                std::vector<std::int64_t> words(
                    length, static_cast<std::int64_t>(scrambled(call, static_cast<std::uint32_t>(session.rank()))));
                std::string got, want;
                got = outcome([&] {
                    switch (draw % 4) {
                        case 0: communicator.all_reduce(words, pt::Reduction::sum, pending); break;
                        case 1: {
                            const auto gathered = communicator.all_gather(std::as_bytes(std::span(words)), pending);
                            for (std::size_t rank = 0; rank < workers; ++rank) {
                                const std::vector<std::int64_t> theirs(
                                    length,
                                    static_cast<std::int64_t>(scrambled(call, static_cast<std::uint32_t>(rank))));
                                const auto bytes = std::as_bytes(std::span(theirs));
                                if (gathered[rank] != pt::Bytes(bytes.begin(), bytes.end()))
                                    throw std::runtime_error("gather");
                            }
                            break;
                        }
                        case 2: {
                            std::vector<pt::Bytes> outgoing(workers);
                            for (std::size_t to = 0; to < workers; ++to)
                                outgoing[to].assign(
                                    scrambled(call, static_cast<std::uint32_t>(to), session.rank()) % 99,
                                    static_cast<std::byte>(to));
                            const auto incoming = communicator.all_to_all(std::move(outgoing), pending);
                            const auto here = static_cast<std::uint32_t>(session.rank());
                            for (std::size_t from = 0; from < workers; ++from)
                                if (incoming[from] != pt::Bytes(scrambled(call, here, from) % 99, std::byte(here)))
                                    throw std::runtime_error("exchange");
                            break;
                        }
                        default: communicator.agree(pending);
                    }
                });
                want = thrower < workers ? "not_converged of " + std::to_string(thrower) : "fine";
                if (got != want) return "call " + std::to_string(call) + ": " + got + " instead of " + want;
                if (want == "fine" && draw % 4 == 0 && length > 0) {
                    std::uint64_t sum = 0;
                    for (std::size_t rank = 0; rank < workers; ++rank)
                        sum += scrambled(call, static_cast<std::uint32_t>(rank));
                    if (words[length - 1] != static_cast<std::int64_t>(sum))
                        return "wrong sum in call " + std::to_string(call);
                }
            }
            return "fine";
        });
        CAPTURE(workers);
        CHECK(lines == all(workers, "fine"));
    }
}

}  // namespace communicator_test
