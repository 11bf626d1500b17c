// SPDX-License-Identifier: Apache-2.0

// The parts of a parameter table, and one that a single worker has; tests/contract has all policies.

#include <partita/comm/parameter_server.hpp>
#include <partita/comm/parameter_table.hpp>

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>
#include <vector>

namespace parameter_table_test {

namespace pt = partita;

namespace {

/// A rule of a user's own: the largest sum that a clock brought.
struct Largest {
    static constexpr std::size_t states = 0;
    void check() const {}
    void update(float& value, std::array<float, 0>&, double delta) const {
        value = std::max(value, static_cast<float>(delta));
    }
};
struct NoUpdate {
    static constexpr std::size_t states = 0;
    void check() const {}
};

static_assert(pt::UpdateRule<pt::Sum> && pt::UpdateRule<pt::Sgd> && pt::UpdateRule<pt::AdaGrad>);
static_assert(pt::UpdateRule<pt::FtrlProximal> && pt::UpdateRule<Largest> && !pt::UpdateRule<NoUpdate>);
static_assert(pt::detail::ConsistencyOf<pt::LocalThreads>::table.kind == pt::TableConsistency::Kind::replicated);
static_assert(pt::detail::ConsistencyOf<pt::ParameterServer<>>::table.kind == pt::TableConsistency::Kind::bounded);
static_assert(pt::detail::ConsistencyOf<pt::ParameterServer<pt::InProcess, pt::Ssp<4>>>::table.staleness == 4);
static_assert(pt::detail::ConsistencyOf<pt::ParameterServer<pt::InProcess, pt::Async>>::table.kind ==
              pt::TableConsistency::Kind::unbounded);
static_assert(!std::is_copy_constructible_v<pt::ParameterTable>);

}  // namespace

TEST_CASE("deltas are multiples of a unit that the bound fixes", "[comm][table]") {
    for (const double bound : {1.0, 3.0, 4096.0, 1e-30, 1e30, 0.1}) {
        const pt::detail::TableUnit unit(bound);
        CAPTURE(bound);
        CHECK(unit.holds(bound));
        CHECK(unit.holds(-bound));
        CHECK(!unit.holds(std::nextafter(bound, 1e300)));
        CHECK(!unit.holds(std::numeric_limits<double>::quiet_NaN()));
        CHECK(unit.value(unit.units(bound)) == Approx(bound).epsilon(1e-14));
        CHECK(unit.units(-bound) == -unit.units(bound));
        CHECK(unit.units(bound) <= pt::detail::TableUnit::most);
        CHECK(2 * unit.units(bound) > pt::detail::TableUnit::most);
        CHECK(unit.holds_sum(unit.units(bound)));
        CHECK(!unit.holds_sum(unit.units(bound) + 2));
        CHECK(!unit.holds_sum(-unit.units(bound) - 2));
    }
}

TEST_CASE("a sum of very many pieces is looked at before it could leave 64 bits", "[comm][table]") {
    const pt::detail::TableUnit unit(1);
    const auto push = [&](pt::detail::DeltaRuns& runs, std::size_t keys, std::size_t times) {
        pt::detail::Deltas piece;
        for (std::size_t key = 0; key < keys; ++key) {
            piece.keys.push_back(static_cast<std::uint32_t>(key));
            piece.sums.push_back(key == 0 ? unit.units(1) : 0);
        }
        for (std::size_t i = 0; i < times; ++i) runs.add(piece);
    };
    // Five runs that are each too far from the next in length to be merged before the end, 2^64 together.
    pt::detail::DeltaRuns apart(1, unit);
    for (const std::size_t keys : {64, 31, 15, 7}) push(apart, keys, 4095);
    push(apart, 3, 4);
    CHECK_THROWS_AS(apart.take(), pt::NumericOverflow);

    // What is lost in an error is not forgotten.
    pt::detail::DeltaRuns failed(1, unit);
    CHECK_THROWS_AS(push(failed, 2, 5000), pt::NumericOverflow);
    CHECK_THROWS_AS(push(failed, 1, 1), pt::NumericOverflow);
    CHECK_THROWS_AS(push(failed, 0, 1), pt::NumericOverflow);
    CHECK_THROWS_AS(failed.take(), pt::NumericOverflow);
}

TEST_CASE("an owner takes every worker's next clock and no other", "[comm][table]") {
    const pt::detail::TableUnit unit(8);
    const auto shard = [&](std::uint64_t keys) {
        return pt::detail::TableShard(0, keys, 1, std::make_shared<pt::detail::RuleOf<pt::Sum>>(pt::Sum{}), unit);
    };
    const auto deltas = [&](double value) { return pt::detail::Deltas{{0}, {unit.units(value)}}; };
    pt::detail::TableOwner owner(shard(1), 0, 2, pt::Ssp<1>::table);
    const auto value = [&] {
        float read = 0;
        owner.shard().read(std::vector<std::uint32_t>{0}, &read);
        return read;
    };
    const auto refuses = [&](std::size_t from, std::uint64_t clock) {
        CHECK_THROWS_AS(owner.end_clock(from, clock, deltas(4), {}, false), pt::CollectiveMismatch);
    };
    CHECK(owner.end_clock(1, 0, deltas(1), {}, false).empty());
    refuses(1, 0);  // once more
    refuses(0, 1);
    refuses(1, std::uint64_t{1} << 62);
    CHECK(owner.end_clock(1, 1, deltas(2), {}, false).empty());
    refuses(1, 2);  // beyond the staleness
    CHECK(value() == 0);
    CHECK(owner.end_clock(0, 0, deltas(3), {}, false).size() == 1);
    CHECK(value() == 4);
    CHECK(owner.end_clock(1, 2, deltas(0.5), {}, false).empty());
    CHECK(owner.end_clock(0, 1, deltas(0), {}, false).size() == 1);
    CHECK(value() == 6);
    CHECK(owner.ended() == std::vector<std::uint64_t>{2, 3});

    pt::detail::TableOwner unbounded(shard(1), 0, 2, pt::Async::table);
    CHECK(unbounded.end_clock(1, 0, deltas(1), {}, false).size() == 1);
    CHECK_THROWS_AS(unbounded.end_clock(1, 0, deltas(1), {}, false), pt::CollectiveMismatch);

    // Whoever collects is told when all do: before that another's deltas may still fail, and then they must for all.
    pt::detail::TableOwner collecting(shard(1), 0, 3, pt::Async::table);
    CHECK(collecting.end_clock(0, 0, {}, {}, true).empty());
    CHECK(collecting.end_clock(2, 0, deltas(1), {}, false).front().to == 2);
    CHECK(collecting.end_clock(1, 0, {}, {}, true).empty());
    const auto all = collecting.end_clock(2, 1, {}, {}, true);
    REQUIRE(all.size() == 3);
    CHECK(all[0].to == 0);
    CHECK(all[1].to == 1);
    CHECK(all[2].to == 2);
    CHECK(all[2].clocks == 2);
    CHECK(collecting.end_clock(0, 1, {}, {}, true).empty());
    pt::detail::Deltas large;
    large.keys.assign(1, 0);
    large.sums.assign(1, unit.units(8) + 1);
    const auto failed = collecting.end_clock(1, 1, large, {}, false);
    REQUIRE(failed.size() == 1);
    CHECK(failed[0].to == pt::detail::TableOwner::Applied::everyone);
    CHECK(!failed[0].error.empty());
    CHECK(collecting.end_clock(1, 2, {}, {}, true).empty());
    CHECK(collecting.end_clock(2, 2, {}, {}, true).empty());

    // What cannot be added is told when the clock is whole.
    const std::size_t workers = 5000;
    pt::detail::TableOwner busy(shard(1), 0, workers, pt::Bsp::table);
    std::vector<pt::detail::TableOwner::Applied> applied;
    for (std::size_t from = 0; from < workers; ++from) {
        CHECK(applied.empty());
        applied = busy.end_clock(from, 0, deltas(8), {}, false);
    }
    REQUIRE(applied.size() == 1);
    CHECK_THROWS_AS(std::rethrow_exception(pt::detail::read_error(applied[0].error)), pt::NumericOverflow);
    CHECK(busy.failed());
}

TEST_CASE("pieces of a clock's deltas merge to the sums of a plain map", "[comm][table]") {
    CHECK(rc::check([](const std::vector<std::map<std::uint8_t, std::int16_t>>& pieces, bool wide) {
        const std::size_t width = wide ? 3 : 1;
        pt::detail::DeltaRuns runs(width, pt::detail::TableUnit(1));
        std::map<std::uint32_t, std::vector<std::int64_t>> wanted;
        for (const auto& piece : pieces) {
            pt::detail::Deltas run;
            for (const auto& [key, delta] : piece) {
                run.keys.push_back(key);
                wanted[key].resize(width);
                for (std::size_t k = 0; k < width; ++k) {
                    run.sums.push_back(delta + static_cast<std::int64_t>(k));
                    wanted[key][k] += run.sums.back();
                }
            }
            runs.add(run);
        }
        const pt::detail::Deltas all = runs.take();
        RC_ASSERT(all.keys.size() == wanted.size());
        std::size_t i = 0;
        for (const auto& [key, sums] : wanted) {
            RC_ASSERT(all.keys[i] == key);
            for (std::size_t k = 0; k < width; ++k) RC_ASSERT(all.sums[i * width + k] == sums[k]);
            ++i;
        }
        RC_ASSERT(runs.take().keys.empty());
    }));
}

TEST_CASE("a cache finds what is fresh enough and forgets the rest", "[comm][table]") {
    CHECK(rc::check([](const std::vector<std::pair<std::uint16_t, std::uint8_t>>& reads) {
        pt::detail::KeyCache cache(2);
        std::map<std::uint32_t, std::pair<std::uint64_t, float>> wanted;
        std::uint64_t version = 0;
        for (const auto& [key, step] : reads) {
            version += step % 2;
            const std::uint64_t oldest = version > 3 ? version - 3 : 0;
            const std::size_t at = cache.find(key, oldest);
            const auto known = wanted.find(key);
            const bool fresh = known != wanted.end() && known->second.first >= oldest;
            RC_ASSERT((at != pt::detail::KeyCache::none) == fresh);
            if (fresh) {
                RC_ASSERT(cache.version(at) == known->second.first);
                RC_ASSERT(cache.values(at)[1] == known->second.second);
            }
            const float values[2] = {0, static_cast<float>(version + key)};
            cache.insert(key, version, values, oldest);
            wanted[key] = {version, values[1]};
        }
    }));
}

TEST_CASE("FTRL-proximal takes the steps of its paper, and keeps what is below l1 at zero", "[comm][table]") {
    const pt::FtrlProximal rule{.alpha = 0.5, .beta = 1, .l1 = 1, .l2 = 0.25};
    float value = 0;
    std::array<float, 2> state{};
    rule.update(value, state, 0.5);  // z = 0.5, n = 0.25: below l1
    CHECK((value == 0 && state[0] == 0.5F && state[1] == 0.25F));
    rule.update(value, state, 2);  // z = 2.5, n = 4.25
    CHECK(value == Approx(-(2.5 - 1) / ((1 + std::sqrt(4.25)) / 0.5 + 0.25)));
    const double sigma = (std::sqrt(5.25) - std::sqrt(4.25)) / 0.5, before = value;
    rule.update(value, state, -1);
    CHECK(state[0] == Approx(2.5 - 1 - sigma * before));
    CHECK(value == Approx(-(2.5 - 1 - sigma * before - 1) / ((1 + std::sqrt(5.25)) / 0.5 + 0.25)));
    const float kept = value;
    rule.update(value, state, 0);
    CHECK(value == kept);
}

TEST_CASE("a table of one worker", "[comm][table]") {
    pt::LocalSession session({.threads = 1});
    pt::ParameterTable table(session, {.keys = std::uint64_t{1} << 24, .width = 2, .bound = 8}, Largest{});
    const std::vector<std::uint32_t> keys{0, 12'345'678, (1U << 24) - 1};
    std::vector<float> values(6);
    table.push(keys, std::vector<float>{1, 2, 3, 4, 5, -6});
    table.push(std::vector<std::uint32_t>{12'345'678}, std::vector<float>{0.5F, -5});
    table.pull(keys, values);
    CHECK(values == std::vector<float>(6));
    table.advance();
    table.pull(keys, values);
    CHECK(values == std::vector<float>{1, 2, 3.5F, 0, 5, 0});
    CHECK(table.clock() == 1);
    table.advance();
    const pt::TableContents contents = table.collect();
    CHECK(contents.keys == keys);
    CHECK(contents.values == values);
}

TEST_CASE("wrong calls say where and what to do", "[comm][table]") {
    pt::LocalSession session({.threads = 1});
    const auto make = [&](pt::ParameterTableSettings settings) {
        const pt::ParameterTable table(session, settings, pt::Sum{});
    };
    CHECK_THROWS_AS(make({.bound = 1}), pt::InvalidSetting);
    CHECK_THROWS_AS(make({.keys = (std::uint64_t{1} << 32) + 1, .bound = 1}), pt::InvalidSetting);
    CHECK_THROWS_AS(make({.keys = 1, .width = 0, .bound = 1}), pt::InvalidSetting);
    for (const double bound : {0.0, -1.0, 1e31, std::numeric_limits<double>::quiet_NaN()})
        CHECK_THROWS_AS(make({.keys = 1, .bound = bound}), pt::InvalidSetting);
    const auto refuses = [&](const auto& rule) {
        CHECK_THROWS_AS(pt::ParameterTable(session, {.keys = 1, .bound = 1}, rule), pt::InvalidSetting);
    };
    refuses(pt::Sgd{.rate = 0});
    refuses(pt::AdaGrad{.rate = std::numeric_limits<double>::infinity()});
    refuses(pt::AdaGrad{.epsilon = 0});
    refuses(pt::FtrlProximal{.alpha = -1});
    refuses(pt::FtrlProximal{.l1 = std::numeric_limits<double>::quiet_NaN()});

    const auto starts = [&](const pt::TableContents& start) {
        const pt::ParameterTable table(session, {.keys = 10, .bound = 4}, pt::AdaGrad{}, start);
    };
    CHECK_THROWS_AS(starts({{1}, {2}}), pt::WrongWidth);  // a value without its state
    CHECK_THROWS_AS(starts({{2, 1}, {1, 1, 1, 1}}), pt::InvalidSetting);
    CHECK_THROWS_AS(starts({{10}, {1, 1}}), pt::InvalidSetting);
    CHECK_THROWS_AS(starts({{1}, {1, std::numeric_limits<float>::quiet_NaN()}}), pt::NonFiniteValue);

    pt::ParameterTable table(session, {.keys = 10, .width = 2, .bound = 4}, pt::Sum{});
    std::vector<float> four(4), two(2);
    const auto place_of = [](auto&& action) {
        try {
            action();
        } catch (const pt::Error& error) {
            return error.place();
        }
        throw std::logic_error("no error");
    };
    using Keys = std::vector<std::uint32_t>;
    CHECK_THROWS_AS(table.pull(Keys{1, 2}, two), pt::WrongWidth);
    CHECK_THROWS_AS(table.push(Keys{1}, four), pt::WrongWidth);
    CHECK_THROWS_AS(table.pull(Keys{2, 2}, four), pt::InvalidSetting);
    CHECK(place_of([&] { table.push(Keys{2, 1}, four); }).element == 1);
    CHECK(place_of([&] { table.pull(Keys{3, 10}, four); }).setting == "keys");
    two[1] = std::numeric_limits<float>::infinity();
    CHECK_THROWS_AS(table.push(Keys{5}, two), pt::NonFiniteValue);
    two[1] = -4.5F;
    CHECK_THROWS_AS(table.push(Keys{5}, two), pt::NumericOverflow);
    CHECK(place_of([&] { table.push(Keys{5}, two); }).element == 5);
    for (const float many_bounds : {-25.0F, -32.0F, -47.9F, 3e38F}) {
        two[1] = many_bounds;
        CHECK_THROWS_AS(table.push(Keys{5}, two), pt::NumericOverflow);
    }
    table.pull(Keys{}, {});
    table.push(Keys{}, {});
    two[1] = 3;
    table.push(Keys{5}, two);
    table.push(Keys{5}, two);
    CHECK(place_of([&] { table.advance(); }).setting == "bound");    // 3 + 3 > 4
    CHECK_THROWS_AS(table.pull(Keys{5}, two), pt::NumericOverflow);  // from then on

    // Very many pushes of one clock are looked at before their sum could leave 64 bits.
    pt::ParameterTable narrow(session, {.keys = 1, .bound = 1}, pt::Sum{});
    const std::vector<float> one{1};
    CHECK_THROWS_AS(
        [&] {
            for (int i = 0; i < 20'000; ++i) narrow.push(Keys{0}, one);
        }(),
        pt::NumericOverflow);
    std::vector<float> value(1);
    CHECK_THROWS_AS(narrow.push(Keys{0}, one), pt::NumericOverflow);  // and never forgotten
    CHECK_THROWS_AS(narrow.pull(Keys{0}, value), pt::NumericOverflow);
    CHECK_THROWS_AS(narrow.collect(), pt::NumericOverflow);
    CHECK_THROWS_AS(narrow.advance(), pt::NumericOverflow);

    // A value that leaves the range of float.
    pt::ParameterTable steep(session, {.keys = 3, .bound = 1e30}, pt::Sgd{.rate = 1e20});
    steep.push(Keys{2}, std::vector<float>{1e25F});
    CHECK_THROWS_AS(steep.advance(), pt::NumericOverflow);

    // What a rule keeps beside a value, which would then change no more.
    const auto outgrows = [&](const auto& rule) {
        pt::ParameterTable deaf(session, {.keys = 3, .bound = 1e30}, rule);
        deaf.push(Keys{2}, std::vector<float>{1e20F});
        CHECK(place_of([&] { deaf.advance(); }).element == 2);
    };
    outgrows(pt::AdaGrad{});
    outgrows(pt::FtrlProximal{});
}

}  // namespace parameter_table_test
