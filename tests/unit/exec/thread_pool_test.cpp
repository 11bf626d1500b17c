// SPDX-License-Identifier: Apache-2.0

#include <partita/exec/thread_pool.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace thread_pool_test {

namespace pt = partita;

static_assert(!std::is_copy_constructible_v<pt::ThreadPool>);
static_assert(std::is_trivially_copyable_v<pt::LoopBody>);

TEST_CASE("every index runs once, on a worker of the pool", "[exec]") {
    for (const std::size_t threads : {1U, 2U, 3U, 8U}) {
        pt::ThreadPool pool(threads);
        CHECK(pool.threads() == threads);
        for (const std::size_t count : {0U, 1U, 2U, 7U, 1000U}) {
            std::vector<std::atomic<int>> runs(count);
            std::atomic<bool> good{true};
            pool.for_each(count, [&](std::size_t index, std::size_t worker) {
                ++runs[index];
                if (worker >= threads) good = false;
            });
            for (const auto& run : runs) CHECK(run == 1);
            CHECK(good);
        }
    }
}

TEST_CASE("a worker runs one index at a time", "[exec]") {
    pt::ThreadPool pool(4);
    std::vector<std::atomic<int>> inside(4);
    std::atomic<bool> good{true};
    pool.for_each(2000, [&](std::size_t, std::size_t worker) {
        if (inside[worker].fetch_add(1) != 0) good = false;
        inside[worker].fetch_sub(1);
    });
    CHECK(good);
}

TEST_CASE("zero threads means the machine's", "[exec]") {
    CHECK(pt::ThreadPool(0).threads() == pt::hardware_threads());
}

TEST_CASE("what the loop wrote is seen after it", "[exec]") {
    pt::ThreadPool pool(3);
    for (int repetition = 0; repetition < 2000; ++repetition) {
        std::vector<int> values(5);  // plain memory: the sanitizer watches the hand-over
        pool.for_each(values.size(), [&](std::size_t index, std::size_t) { values[index] = repetition; });
        REQUIRE(values == std::vector<int>(5, repetition));
    }
}

TEST_CASE("loops after the helpers went to sleep", "[exec]") {
    pt::ThreadPool pool(3);
    for (int repetition = 0; repetition < 20; ++repetition) {
        std::atomic<int> runs{0};
        pool.for_each(64, [&](std::size_t, std::size_t) { ++runs; });
        REQUIRE(runs == 64);
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

TEST_CASE("all threads take part when there is work for all", "[exec]") {
    pt::ThreadPool pool(3);
    std::atomic<int> arrived{0};
    pool.for_each(3,
                  [&](std::size_t, std::size_t) {  // each index waits for the others: one thread alone would never end
                      ++arrived;
                      while (arrived < 3) std::this_thread::yield();
                  });
    CHECK(arrived == 3);
}

TEST_CASE("the error of the lowest index is thrown, for any number of threads", "[exec]") {
    for (const std::size_t threads : {1U, 2U, 3U, 8U}) {
        pt::ThreadPool pool(threads);
        for (int repetition = 0; repetition < 200; ++repetition) {
            const auto lowest = static_cast<std::size_t>(repetition % 50);
            std::vector<std::atomic<int>> runs(1000);
            try {
                pool.for_each(1000, [&](std::size_t index, std::size_t) {
                    ++runs[index];
                    if (index >= lowest && (index - lowest) % 3 == 0) throw index;
                });
                FAIL("nothing was thrown");
            } catch (std::size_t index) {
                REQUIRE(index == lowest);
            }
            for (std::size_t index = 0; index < lowest; ++index) REQUIRE(runs[index] == 1);
        }
        std::atomic<int> after{0};  // the pool can be used again
        pool.for_each(10, [&](std::size_t, std::size_t) { ++after; });
        CHECK(after == 10);
    }
}

TEST_CASE("a loop in a loop runs on its own thread, as the same worker", "[exec]") {
    pt::ThreadPool pool(3);
    std::atomic<int> runs{0};
    std::atomic<bool> good{true};
    pool.for_each(20, [&](std::size_t, std::size_t outer) {
        const auto self = std::this_thread::get_id();
        pool.for_each(10, [&](std::size_t, std::size_t inner) {
            ++runs;
            if (inner != outer || std::this_thread::get_id() != self) good = false;
        });
    });
    CHECK(runs == 200);
    CHECK(good);
    CHECK_THROWS_AS(pool.for_each(4,
                                  [&](std::size_t, std::size_t) {
                                      pool.for_each(2,
                                                    [](std::size_t, std::size_t) { throw std::range_error("inner"); });
                                  }),
                    std::range_error);
}

TEST_CASE("loops from several threads take turns", "[exec]") {
    pt::ThreadPool pool(3);
    std::atomic<int> runs{0};
    std::vector<std::thread> callers;
    for (int caller = 0; caller < 4; ++caller) {
        callers.emplace_back([&] {
            for (int i = 0; i < 100; ++i) pool.for_each(7, [&](std::size_t, std::size_t) { ++runs; });
        });
    }
    for (std::thread& caller : callers) caller.join();
    CHECK(runs == 2800);
}

TEST_CASE("ordered loops consume in order, one at a time, within the look-ahead", "[exec]") {
    for (const std::size_t threads : {1U, 2U, 3U, 8U}) {
        pt::ThreadPool pool(threads);
        for (const std::size_t look_ahead : {0U, 1U, 3U}) {
            std::vector<std::string> consumed;  // not guarded: the order must guard it
            std::atomic<std::size_t> finished{0};
            std::atomic<bool> good{true};
            pool.for_each_ordered(
                500,
                [&](std::size_t index, std::size_t) {
                    const std::size_t window = look_ahead == 0 ? 4 * threads : look_ahead;
                    if (index >= finished + window) good = false;
                    return std::to_string(index);
                },
                [&](std::size_t index, std::string&& text) {
                    if (text != std::to_string(index) || consumed.size() != index) good = false;
                    consumed.push_back(std::move(text));
                    ++finished;
                },
                nullptr, look_ahead);
            CHECK(good);
            CHECK(consumed.size() == 500);
        }
        pool.for_each_ordered(
            0, [](std::size_t, std::size_t) { return 0; }, [](std::size_t, int) { FAIL("no index"); });
    }
}

TEST_CASE("ordered loops stop at the first failing index, having consumed all before it", "[exec]") {
    for (const std::size_t threads : {1U, 2U, 5U}) {
        pt::ThreadPool pool(threads);
        for (std::size_t failing = 0; failing < 60; failing += 7) {
            std::size_t consumed = 0;
            const auto produce = [&](std::size_t index, std::size_t) {
                if (index == failing || index == failing + 2) throw index;
                return index;
            };
            const auto consume = [&](std::size_t, std::size_t) { ++consumed; };
            CHECK_THROWS_AS(pool.for_each_ordered(100, produce, consume), std::size_t);
            CHECK(consumed == failing);

            consumed = 0;
            const auto refuse = [&](std::size_t index, std::size_t) {
                if (index == failing) throw std::runtime_error("consumer");
                ++consumed;
            };
            CHECK_THROWS_WITH(
                pool.for_each_ordered(100, [](std::size_t index, std::size_t) { return index; }, refuse), "consumer");
            CHECK(consumed == failing);
        }
    }
}

TEST_CASE("cancelling ends loops with Cancelled", "[exec]") {
    for (const std::size_t threads : {1U, 3U}) {
        pt::ThreadPool pool(threads);
        pt::CancelToken token;
        pt::CancelToken copy = token;
        std::atomic<int> runs{0};
        CHECK_THROWS_AS(pool.for_each(
                            100000,
                            [&](std::size_t index, std::size_t) {
                                ++runs;
                                if (index == 10) copy.cancel();
                            },
                            &token),
                        pt::Cancelled);
        CHECK(runs > 10);
        CHECK(runs < 100000);
        CHECK(token.cancelled());
        CHECK_THROWS_AS(token.check(), pt::Cancelled);

        pt::CancelToken other;
        std::size_t consumed = 0;
        CHECK_THROWS_AS(pool.for_each_ordered(
                            100000, [](std::size_t index, std::size_t) { return index; },
                            [&](std::size_t index, std::size_t) {
                                consumed = index;
                                if (index == 10) other.cancel();
                            },
                            &other),
                        pt::Cancelled);
        CHECK(consumed >= 10);
        CHECK(consumed < 10 + 5 * threads + 1);
        CHECK_NOTHROW(pool.for_each(10, [](std::size_t, std::size_t) {}, nullptr));
    }
}

}  // namespace thread_pool_test
