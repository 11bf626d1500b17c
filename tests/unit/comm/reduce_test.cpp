// SPDX-License-Identifier: Apache-2.0

#include <partita/comm/reduce.hpp>
#include <partita/comm/reduce_tree.hpp>
#include <partita/comm/run.hpp>
#include <partita/core/random.hpp>
#include <partita/math/category_counts.hpp>
#include <partita/math/count.hpp>
#include <partita/math/extremes.hpp>

#include <boost/describe/class.hpp>

#include <catch2/catch.hpp>

#include <stdexcept>
#include <string>
#include <vector>

namespace reduce_test {

namespace pt = partita;

namespace {

struct Plain {
    pt::Count count;
    std::vector<pt::ExactSum> sums = std::vector<pt::ExactSum>(3);
    pt::Min<double> least;
};
BOOST_DESCRIBE_STRUCT(Plain, (), (count, sums, least))

struct Keyed {
    pt::CategoryCounts zones;
    pt::Count count;
};
BOOST_DESCRIBE_STRUCT(Keyed, (), (zones, count))

static_assert(pt::exact_state<Plain> && !pt::state_is_keyed<Plain>());
static_assert(pt::exact_state<Keyed> && pt::state_is_keyed<Keyed>());

double value_of(std::size_t row, std::uint32_t stream) {
    return (pt::uniform(1, stream, row) - 0.5) * (row % 7 == 0 ? 1e12 : 1e-3);
}

void add_row(Plain& state, std::size_t row) {
    state.count.add();
    for (std::uint32_t i = 0; i < 3; ++i) state.sums[i].add(value_of(row, i));
    state.least.add(value_of(row, 3));
}
void add_row(Keyed& state, std::size_t row) {
    state.zones.add("zone " + std::to_string(pt::uniform_index(1, 0, row, 20)));
    state.count.add();
}
std::string digest(const Plain& state) {
    std::string text = std::to_string(state.count.rows());
    for (const auto& sum : state.sums) text += pt::format(" {}", sum.value());
    return text + pt::format(" {}", state.least.value().value_or(-1));
}
std::string digest(const Keyed& state) {
    std::string text = std::to_string(state.count.rows());
    for (std::size_t i = 0; i < 20; ++i) text += pt::format(" {}", state.zones.weight("zone " + std::to_string(i)));
    return text;
}

template <class State>
State of_rows(std::size_t first, std::size_t count) {
    State state;
    for (std::size_t row = first; row < first + count; ++row) add_row(state, row);
    return state;
}

template <class Policy, class State>
void check_reduction(std::size_t workers) {
    constexpr std::size_t rows = 101;
    const std::string expected = digest(of_rows<State>(0, rows));
    std::vector<std::string> got(workers), errors(workers);
    pt::run<Policy>({.threads = 1, .workers = workers}, [&](pt::Session& session) {
        const pt::Share share = pt::share_of(rows, session.rank(), workers);
        auto state = of_rows<State>(share.first, share.count);
        // first with an error on the last worker, whose state is not even built
        State broken;
        if constexpr (std::is_same_v<State, Plain>) {
            if (session.rank() + 1 == workers) broken.sums.clear();
        }
        try {
            pt::all_reduce_state(session.communicator(), broken, pt::attempt([&] {
                                     if (session.rank() + 1 == workers) throw pt::EmptyDataset("none");
                                 }));
        } catch (const pt::EmptyDataset& error) {
            errors[session.rank()] = "process " + std::to_string(error.place().process);
        }
        pt::all_reduce_state(session.communicator(), state);
        got[session.rank()] = digest(state);
    });
    CAPTURE(workers);
    CHECK(errors == std::vector<std::string>(workers, "process " + std::to_string(workers - 1)));
    CHECK(got == std::vector<std::string>(workers, expected));
}

/// A merge of which every order gives other bits: it remembers the shape of the tree.
struct Shape {
    std::string text;
    void merge(const Shape& other) { text = "(" + text + " " + other.text + ")"; }
};

std::string reference(std::int64_t level, std::int64_t index, const std::vector<bool>& present) {
    const std::int64_t first = index << level;
    if (first >= static_cast<std::int64_t>(present.size())) return "";
    if (level == 0) return present[static_cast<std::size_t>(first)] ? std::to_string(first) : "";
    const std::string left = reference(level - 1, 2 * index, present),
                      right = reference(level - 1, 2 * index + 1, present);
    if (left.empty() || right.empty()) return left + right;
    return "(" + left + " " + right + ")";
}

}  // namespace

}  // namespace reduce_test

template <>
struct partita::Wire<reduce_test::Shape> {
    static void write(const reduce_test::Shape& shape, partita::ByteWriter& writer) { writer.write_sized(shape.text); }
    static reduce_test::Shape read(partita::ByteReader& reader) { return {reader.read_text()}; }
};

namespace reduce_test {

TEST_CASE("states of accumulators reduce to what one worker would have", "[comm]") {
    for (const std::size_t workers : {1U, 2U, 3U, 5U, 8U}) {
        check_reduction<pt::TreeAggregate<>, Plain>(workers);
        check_reduction<pt::RingAllReduce<>, Plain>(workers);
        check_reduction<pt::ParameterServer<>, Plain>(workers);
        check_reduction<pt::TreeAggregate<>, Keyed>(workers);
        check_reduction<pt::RingAllReduce<>, Keyed>(workers);
        check_reduction<pt::ParameterServer<>, Keyed>(workers);
    }
}

TEST_CASE("a block tree has one shape, whatever the workers", "[comm]") {
    for (std::uint64_t repetition = 0; repetition < 60; ++repetition) {
        const std::size_t blocks = pt::uniform_index(repetition, 0, 0, 40);
        const double kept = repetition % 3 == 0 ? 1.0 : pt::uniform(repetition, 0, 1);
        std::vector<bool> present(blocks);
        for (std::size_t block = 0; block < blocks; ++block) present[block] = pt::uniform(repetition, 1, block) < kept;
        const std::string expected = reference(6, 0, present);
        for (const std::size_t workers : {1U, 2U, 3U, 5U, 8U}) {
            std::vector<std::string> got(workers);
            pt::run<pt::TreeAggregate<>>({.threads = 1, .workers = workers}, [&](pt::Session& session) {
                const pt::Share share = pt::share_of(blocks, session.rank(), workers);
                pt::BlockTree<Shape> tree(static_cast<std::int64_t>(share.first),
                                          static_cast<std::int64_t>(share.first + share.count));
                for (std::size_t block = share.first; block < share.first + share.count; ++block) {
                    if (present[block]) tree.add(static_cast<std::int64_t>(block), Shape{std::to_string(block)});
                }
                const auto whole = tree.finish(session.communicator());
                got[session.rank()] = whole ? whole->text : "";
            });
            CAPTURE(repetition, blocks, workers);
            REQUIRE(got == std::vector<std::string>(workers, expected));
        }
    }
}

TEST_CASE("an error reaches all workers through a block tree", "[comm]") {
    std::vector<int> threw(3);
    pt::run<pt::RingAllReduce<>>({.threads = 1, .workers = 3}, [&](pt::Session& session) {
        const auto rank = static_cast<std::int64_t>(session.rank());
        pt::BlockTree<Shape> tree(rank, rank + 1);
        tree.add(rank, Shape{"x"});
        try {
            tree.finish(session.communicator(), pt::attempt([&] {
                            if (rank == 1) throw pt::BadValue("bad");
                        }));
        } catch (const pt::BadValue& error) {
            threw[session.rank()] = error.place().process == 1;
        }
    });
    CHECK(threw == std::vector<int>(3, 1));
}

}  // namespace reduce_test
