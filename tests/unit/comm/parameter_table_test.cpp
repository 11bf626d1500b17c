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
