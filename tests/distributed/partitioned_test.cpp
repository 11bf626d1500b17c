// SPDX-License-Identifier: Apache-2.0
// A sequence of the user's own type, which is no row of a table, under every policy.

#include "every_fault.hpp"
#include "every_policy.hpp"

#include <partita/data/by_key.hpp>
#include <partita/data/partitioned.hpp>
#include <partita/io/lines.hpp>
#include <partita/math/count.hpp>
#include <partita/math/exact_sum.hpp>

#include <boost/describe/class.hpp>

#include <atomic>
#include <cmath>
#include <stdexcept>

namespace partitioned_test {

namespace pt = partita;

namespace {

/// A walk through places: neither trivially copyable nor a table row.
struct Trail {
    std::string name;
    std::vector<double> heights;
    friend bool operator==(const Trail&, const Trail&) = default;
};

/// A summary of one, trivially copyable.
struct Climb {
    double metres = 0;
    std::int64_t places = 0;
    friend bool operator==(const Climb&, const Climb&) = default;
};

struct Tally {
    pt::Count places;
    pt::ExactSum metres;
};
BOOST_DESCRIBE_STRUCT(Tally, (), (places, metres))

std::vector<Trail> trails(std::size_t count) {
    std::vector<Trail> made(count);
    for (std::size_t i = 0; i < count; ++i) {
        made[i].name = "trail " + std::to_string(i);
        for (std::size_t k = 0; k < i % 5; ++k)
            made[i].heights.push_back(std::sin(static_cast<double>(i * 7 + k)) * 1e3);
    }
    return made;
}

Climb climb_of(const Trail& trail) {
    Climb climb;
    for (double height : trail.heights) climb.metres += height;
    climb.places = static_cast<std::int64_t>(trail.heights.size());
    return climb;
}

}  // namespace

}  // namespace partitioned_test

template <>
struct partita::Wire<partitioned_test::Trail> {
    static void write(const partitioned_test::Trail& trail, ByteWriter& writer) {
        Wire<std::string>::write(trail.name, writer);
        Wire<std::vector<double>>::write(trail.heights, writer);
    }
    static partitioned_test::Trail read(ByteReader& reader) {
        partitioned_test::Trail trail;
        trail.name = Wire<std::string>::read(reader);
        trail.heights = Wire<std::vector<double>>::read(reader);
        return trail;
    }
};

namespace partitioned_test {

static_assert(!std::is_trivially_copyable_v<Trail> && pt::Travels<Trail>);
static_assert(std::is_same_v<decltype(std::declval<pt::Partitioned<Trail>>().map(climb_of)), pt::Partitioned<Climb>>);

TEST_CASE("a user's type goes through map, filter, repartition and reduce under every policy", "[partitioned]") {
    const std::vector<Trail> made = trails(23'000);  // six blocks, the last not full
    const auto result = every_policy::gives_the_same([&](pt::Session& session) {
        const auto all = pt::partitioned(session, made);
        const auto long_ones = all.filter([](const Trail& trail) { return trail.heights.size() >= 3; }).repartition(2);
        // Doubles added in another order would round otherwise; names joined in another order read otherwise.
        const auto metres = long_ones.map(climb_of).reduce(
            [](const Climb& a, const Climb& b) { return Climb{a.metres + b.metres, a.places + b.places}; });
        const auto last = long_ones.reduce([](Trail a, const Trail& b) {
            a.name = std::to_string(std::hash<std::string>{}(a.name + "|" + b.name));
            a.heights = b.heights;
            return a;
        });
        return std::tuple(all.count(), long_ones.count(), metres.value(), last.value(), long_ones.collect());
    });
    CHECK(std::get<0>(result) == 23'000);
    CHECK(std::get<1>(result) == 9'200);
    CHECK(std::get<2>(result).places == 4'600 * 3 + 4'600 * 4);
    CHECK(std::get<4>(result).front() == made[3]);
    CHECK(std::get<4>(result).back() == made[22'999]);
}

TEST_CASE("a reduction takes its elements in order, and its blocks along the tree", "[partitioned]") {
    std::vector<double> values(20'000);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::cos(static_cast<double>(i));
    double blocks[5]{};
    for (std::size_t b = 0; b < 5; ++b) {
        blocks[b] = values[b * 4096];
        for (std::size_t i = b * 4096 + 1; i < std::min<std::size_t>(values.size(), (b + 1) * 4096); ++i)
            blocks[b] += values[i];
    }
    const double expected = ((blocks[0] + blocks[1]) + (blocks[2] + blocks[3])) + blocks[4];
    const auto sum = every_policy::gives_the_same([&](pt::Session& session) {
        return pt::partitioned(session, values, 1).reduce([](double a, double b) { return a + b; }).value();
    });
    CHECK(sum == expected);

    // An operation with a state of its own, and neither commutative nor associative.
    const double weight = 0.5;
    every_policy::gives_the_same([&](pt::Session& session) {
        return pt::partitioned(session, values).reduce(100.0, [&weight](double a, double b) { return a * weight - b; });
    });
}

TEST_CASE("chunks of any size give the same", "[partitioned]") {
    const std::vector<Trail> made = trails(40'000);
    const auto metres = every_policy::gives_the_same([&](pt::Session& session) {
        std::vector<double> results;
        for (const std::size_t chunk_blocks : {std::size_t{1}, std::size_t{4}, ~std::size_t{0}}) {
            const auto climbs = pt::partitioned(session, made, chunk_blocks).map(climb_of).map([](const Climb& climb) {
                return climb.metres;
            });
            results.push_back(climbs.reduce(0.0, [](double a, double b) { return a + b; }));
            results.push_back(climbs.repartition(5).reduce(0.0, [](double a, double b) { return a + b; }));
        }
        return results;
    });
    for (double each : metres) CHECK(each == metres[0]);
}

TEST_CASE("exact states give exact sums", "[partitioned]") {
    const std::vector<Trail> made = trails(17'000);
    double places = 0;
    for (const Trail& trail : made) places += static_cast<double>(trail.heights.size());
    const auto sums = every_policy::gives_the_same([&](pt::Session& session) {
        const Tally tally = pt::partitioned(session, made).aggregate(Tally{}, [](Tally& state, const Trail& trail) {
            for (double height : trail.heights) {
                state.places.add();
                state.metres.add(height);
            }
        });
        return std::pair(tally.places.rows(), tally.metres.value());
    });
    CHECK(static_cast<double>(sums.first) == places);
}

TEST_CASE("sequences without elements, and workers without any", "[partitioned]") {
    const std::vector<Trail> none, one = trails(1);
    const auto join = [](const Trail& a, const Trail&) { return a; };
    const auto result = every_policy::gives_the_same([&](pt::Session& session) {
        const auto empty = pt::partitioned(session, none);
        const auto single = pt::partitioned(session, one).repartition(3);
        const auto emptied = single.filter([](const Trail&) { return false; });
        return std::tuple(empty.count(), empty.reduce(join).has_value(), empty.collect(),
                          emptied.map(climb_of).collect(), emptied.reduce(Trail{"start", {}}, join),
                          single.reduce(join).value(), single.collect());
    });
    CHECK(result == std::tuple(0, false, none, std::vector<Climb>{}, Trail{"start", {}}, one[0], one));
}

TEST_CASE("bools and strings are elements like others", "[partitioned]") {
    std::vector<int> numbers(9'000);
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int>(i % 1000);
    const auto result = every_policy::gives_the_same([&](pt::Session& session) {
        const auto all = pt::partitioned(session, numbers);
        const auto even = all.map([](int value) { return value % 2 == 0; });
        const auto names =
            all.filter([](int value) { return value == 7; }).map([](int value) { return std::to_string(value); });
        return std::pair(even.collect(),
                         names.reduce([](const std::string& a, const std::string& b) { return a + b; }).value());
    });
    CHECK(result.first.size() == 9'000);
    CHECK((result.first[0] && !result.first[1] && result.first[2]));
    CHECK(result.second == "777777777");
}

TEST_CASE("an error of one worker is thrown on all, that of the lowest block of several", "[partitioned][in_process]") {
    const std::vector<Trail> made = trails(30'000);  // eight blocks
    const auto refuse = [](std::int64_t from) {
        return [from](const Trail& trail) {
            const auto number = std::stoll(trail.name.substr(6));
            if (number >= from) throw pt::NonFiniteValue("trail " + std::to_string(number) + " is too long");
            return number;
        };
    };
    const auto all = [](std::size_t workers, const std::string& line) {
        return std::vector<std::string>(workers, line);
    };
    for (const std::size_t workers : {1u, 3u, 5u}) {
        const std::string line = "non_finite_value: trail 21000 is too long (row 21000)";
        CHECK(every_policy::outcomes(workers, [&](pt::Session& session) {
                  pt::partitioned(session, made, 1).map(refuse(21'000));
              }) == all(workers, line));
        CHECK(every_policy::outcomes(workers, [&](pt::Session& session) {
                  pt::partitioned(session, made).filter([&](const Trail& trail) { return refuse(21'000)(trail) > 0; });
              }) == all(workers, line));
        CHECK(every_policy::outcomes(workers, [&](pt::Session& session) {
                  pt::partitioned(session, made).aggregate(pt::Count{}, [&](pt::Count& state, const Trail& trail) {
                      refuse(21'000)(trail);
                      state.add();
                  });
              }) == all(workers, line));
        // The session can be used after an error, and a reduction's may come from joining blocks.
        CHECK(every_policy::outcomes(workers,
                                     [&](pt::Session& session) {
                                         const auto sequence = pt::partitioned(session, made);
                                         try {
                                             sequence.map(refuse(0));
                                         } catch (const pt::NonFiniteValue&) {
                                             if (sequence.count() != 30'000) return;
                                         }
                                         sequence.reduce([&](const Trail& a, const Trail& b) {
                                             refuse(29'999)(b);
                                             return a;
                                         });
                                     })[0]
                  .substr(0, 37) == "non_finite_value: trail 29999 is too ");
        CHECK(every_policy::outcomes(workers,
                                     [&](pt::Session& session) { pt::partitioned(session, made).repartition(0); }) ==
              all(workers, "invalid_setting: a chunk of 0 blocks holds nothing; give chunk_blocks of at least 1"));
    }
}

TEST_CASE("elements by a key: sorted, the first of them, grouped and joined", "[partitioned]") {
    const std::vector<Trail> made = trails(13'000);  // four blocks, the last not full
    const auto steps = [](const Trail& trail) { return trail.heights.size(); };
    const auto last_digits = [](const Trail& trail) { return trail.name.substr(trail.name.size() - 2); };
    const auto results = every_policy::gives_the_same([&](pt::Session& session) {
        const auto all = pt::partitioned(session, made, 1);
        const auto few = all.filter([](const Trail& trail) { return trail.heights.empty(); });
        const auto sorted = pt::sort(all, steps);
        const auto groups =
            pt::group_by(few, last_digits).map([](const std::pair<std::string, std::vector<Trail>>& group) {
                return group.first + ": " + group.second.front().name + " and " +
                       std::to_string(group.second.size() - 1);
            });
        const auto joined = [&](const pt::JoinSettings& settings) {
            return pt::join(few, pt::top(all, 250, last_digits), last_digits, last_digits, settings)
                .map([](const std::pair<Trail, Trail>& pair) { return pair.first.name + pair.second.name; })
                .collect();
        };
        const auto pairs = joined({});
        if (joined({.broadcast_bytes = 0}) != pairs) throw std::logic_error("the ways of a join differ");
        const auto ids = sorted.filter([](const Trail& trail) { return trail.name == "trail 4"; });
        return std::tuple(sorted.collect(), groups.collect(), pairs, ids.chunks().size() <= 1,
                          pt::top(all, 3, [](const Trail&) { return true; }).collect(),
                          pt::top(all, 99'999, steps).count(),
                          pt::sort(all.filter([](const Trail&) { return false; }), steps).collect());
    });
    std::vector<Trail> sorted;
    for (std::size_t count = 0; count < 5; ++count)
        for (const Trail& trail : made)
            if (steps(trail) == count) sorted.push_back(trail);
    CHECK(std::get<0>(results) == sorted);
    // "trail 0" and "trail 5" are keyed " 0" and " 5", others by digits
    const auto& groups = std::get<1>(results);
    REQUIRE(groups.size() == 22);
    CHECK(groups[0] == " 0: trail 0 and 0");
    CHECK(groups[2] == "00: trail 100 and 128");
    CHECK(groups[21] == "95: trail 95 and 129");
    // The first 250 by their digits: ten of one digit each, 129 on 00, 111 on 01.
    std::vector<std::string> pairs;
    for (const Trail& trail : made) {
        if (!trail.heights.empty()) continue;
        for (const Trail& other : made)
            if (last_digits(other) <= "00" && last_digits(other) == last_digits(trail))
                pairs.push_back(trail.name + other.name);
    }
    REQUIRE(pairs.size() > 1000);
    CHECK(std::get<2>(results) == pairs);
    CHECK(std::get<3>(results));
    CHECK(std::get<4>(results) == std::vector<Trail>(made.begin(), made.begin() + 3));
    CHECK(std::get<5>(results) == 13'000);
    CHECK(std::get<6>(results).empty());
}

TEST_CASE("a key that is NaN is refused on all workers, wherever it is", "[partitioned][in_process]") {
    const std::vector<Trail> made = trails(2 * 4096 + 100);
    for (const std::size_t workers : {1u, 3u}) {
        for (const char* name : {"trail 0", "trail 8200"}) {
            const auto key = [name](const Trail& trail) {
                return std::pair(1, trail.name == name ? std::nanf("") : static_cast<float>(trail.heights.size()));
            };
            const auto refused = [&](auto action) {
                const auto outcomes = every_policy::outcomes(workers, [&](pt::Session& session) {
                    const auto all = pt::partitioned(session, made, 1);
                    try {
                        action(all);
                    } catch (const pt::NonFiniteValue& error) {
                        const std::int64_t row = error.place().row;
                        if (all.count() == static_cast<std::int64_t>(made.size()) &&
                            "trail " + std::to_string(row) == name)
                            throw;
                    }
                });
                for (const std::string& line : outcomes)
                    CHECK_THAT(line, Catch::StartsWith("non_finite_value: the key of an element is NaN"));
            };
            refused([&](const auto& all) { pt::sort(all, key); });
            refused([&](const auto& all) { pt::group_by(all, key); });
            refused([&](const auto& all) { pt::join(all, all, key, key); });
            refused([&](const auto& all) { pt::join(all, all, key, key, pt::JoinSettings{.broadcast_bytes = 0}); });
        }
    }
}

TEST_CASE("a sequence is written as lines and read back", "[partitioned][in_process]") {
    const std::vector<Trail> made = trails(13'000);
    std::string text;
    for (const Trail& trail : made) text += trail.name + "\n";
    const auto back = every_policy::gives_the_same([&](pt::Session& session) {
        pt::write_lines(pt::partitioned(session, made, 1), "trails.txt",
                        [](const Trail& trail) { return std::string_view(trail.name); });
        const auto lines = pt::read_lines(session, "trails.txt");
        session.communicator().barrier();  // all have read it before it is written again
        return std::pair(lines.count(),
                         lines.filter([](const std::string& line) { return line.size() < 8; }).collect());
    });
    CHECK(pt::read_whole_file("trails.txt") == text);
    CHECK(back.first == 13'000);
    CHECK(back.second.size() == 10);
    pt::LocalSession session;
    using Lines = std::vector<std::string>;
    for (const auto& [written, read] : std::vector<std::pair<std::string, Lines>>{
             {"", {}}, {"\n", {""}}, {"a", {"a"}}, {"a\n\nb\r\n", {"a", "", "b\r"}}}) {
        pt::write_file_atomically("lines.txt", written);
        CHECK(pt::read_lines(session, "lines.txt").collect() == read);
    }
    CHECK_THROWS_AS(pt::read_lines(session, "no such file"), pt::FileError);
    for (const std::string& line : every_policy::outcomes(3, [&](pt::Session& of_three) {
             pt::write_lines(pt::partitioned(of_three, made, 1), "trails.txt",
                             [](const Trail& trail) { return trail.name == "trail 9000" ? "two\nlines" : trail.name; });
         }))
        CHECK_THAT(line, Catch::StartsWith("invalid_setting: write_lines: the text of an element has a line feed"));
    CHECK(pt::read_whole_file("trails.txt") == text);  // the old one
    // As long, with a line more, and longer: what a host's own copy may be.
    pt::write_file_atomically("0.txt", "first\nsecond\n");
    for (const std::string other : {"first\nsec\nnd\n", "first\nsecond\nthird"}) {
        pt::write_file_atomically("2.txt", other);
        for (const std::string& line : every_policy::outcomes(
                 3, [](pt::Session& of_three) { pt::read_lines(of_three, of_three.rank() == 2 ? "2.txt" : "0.txt"); }))
            CHECK_THAT(line, Catch::StartsWith("collective_mismatch: ") &&
                                 Catch::Contains(other.size() == 13 ? "process 0 sees 2 lines and process 2 sees 3"
                                                                    : "process 0 sees 13 bytes and process 2 sees 18"));
    }
}

namespace {

/// A number that is refused where it arrives, or where it is compared, if it is the one that must not be.
struct Touchy {
    int number = 0;
    static inline std::atomic<int> unreadable = -1, incomparable = -1;
    friend bool operator<(const Touchy& a, const Touchy& b) {
        if (b.number == incomparable) throw pt::NonFiniteValue("not compared");
        return a.number < b.number;
    }
};

}  // namespace

}  // namespace partitioned_test

template <>
struct partita::Wire<partitioned_test::Touchy> {
    static void write(const partitioned_test::Touchy& value, ByteWriter& writer) { writer.write(value.number); }
    static partitioned_test::Touchy read(ByteReader& reader) {
        const partitioned_test::Touchy value{reader.read<int>()};
        if (value.number == partitioned_test::Touchy::unreadable) throw partita::NonFiniteValue("not read");
        return value;
    }
};

namespace partitioned_test {

TEST_CASE("what one worker cannot read or compare is refused on all, which stay in step", "[partitioned][in_process]") {
    std::vector<Touchy> made(3 * 4096 + 100);  // of three workers the last has the last number, which others get
    for (std::size_t i = 0; i < made.size(); ++i) made[i].number = static_cast<int>(i * 5 % made.size());
    const auto itself = [](const Touchy& value) { return value; };
    const auto outcomes = [&](auto action) {
        return every_policy::outcomes(3, [&](pt::Session& session) {
            const auto all = pt::partitioned(session, made, 1);
            try {
                action(all);
            } catch (const pt::NonFiniteValue&) {
                if (all.count() != static_cast<std::int64_t>(made.size())) return;
                throw;
            }
        });
    };
    for (auto* which : {&Touchy::unreadable, &Touchy::incomparable}) {
        const std::vector<std::string> refused(
            3, which == &Touchy::unreadable ? "non_finite_value: not read" : "non_finite_value: not compared");
        const std::vector<std::string> fine(3, "fine");
        for (const int number : {0, 4095, 9000}) {
            CAPTURE(number, refused[0]);
            *which = number;
            CHECK(outcomes([&](const auto& all) { pt::sort(all, itself); }) == refused);
            CHECK(outcomes([&](const auto& all) { pt::group_by(all, itself); }) == refused);
            CHECK(outcomes([&](const auto& all) { pt::join(all, all, itself, itself); }) == refused);
            CHECK(outcomes([&](const auto& all) {
                      pt::join(all, all, itself, itself, pt::JoinSettings{.broadcast_bytes = 0});
                  }) == refused);
            CHECK(outcomes([](const auto& all) { all.collect(); }) == (which == &Touchy::unreadable ? refused : fine));
        }
        *which = -1;
    }
}

namespace {

/// All that is done by keys, of trails whose results lie on several workers.
std::string keyed(pt::Session& session) {
    static const std::vector<Trail> made = trails(13'000);
    const auto steps = [](const Trail& trail) { return trail.heights.size(); };
    const auto name = [](const Trail& trail) { return trail.name; };
    const auto all = pt::partitioned(session, made, 1);
    const auto some = pt::top(all, 400, name);
    const auto names = [&](const pt::JoinSettings& settings) {
        return pt::join(all, some, name, name, settings).map([](const std::pair<Trail, Trail>& pair) {
            return pair.second.name;
        });
    };
    std::string text;
    for (const std::string& each : names({}).collect()) text += each;
    for (const std::string& each : names({.broadcast_bytes = 0}).collect()) text += each;
    for (const Trail& trail : pt::sort(all.repartition(1), steps).collect()) text += trail.name;
    for (const auto& [count, members] : pt::group_by(all, steps).collect())
        text += std::to_string(count) + ":" + std::to_string(members.size());
    return text;
}

}  // namespace

TEST_CASE("at some calls of what is done by keys every worker fails: ring", "[partitioned][faults][in_process]") {
    every_fault::at_calls(every_fault::ring, keyed, 11, false);
}
TEST_CASE("every worker fails at every call of what is done by keys, in every way", "[.full]") {
    every_fault::at_calls(every_fault::ring, keyed, 1, true);
    every_fault::at_calls(every_fault::tree, keyed, 5, true);
    every_fault::at_calls(every_fault::server, keyed, 5, true);
}

}  // namespace partitioned_test
