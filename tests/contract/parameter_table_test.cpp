// SPDX-License-Identifier: Apache-2.0

// The table that workers share, under every policy: the same bits as one plain loop, no read older than the policy allows, and
// one end for all when a worker fails.

#include "communicator.hpp"

#include <partita/comm/checked.hpp>
#include <partita/comm/counting.hpp>
#include <partita/comm/faulty.hpp>
#include <partita/comm/parameter_table.hpp>
#include <partita/comm/read_log.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <thread>
#include <variant>

using namespace communicator_contract;

namespace {

using Rule = std::variant<pt::Sum, pt::Sgd, pt::AdaGrad, pt::FtrlProximal>;

/// Training as a learner does it: in every clock some blocks, each with keys and a delta for each of them that depends on the
/// values read; who has which block depends on the number of workers, nothing else does.
struct Training {
    std::uint64_t seed = 1;
    std::uint64_t keys = 50;
    std::size_t width = 1;
    double bound = 100;
    std::size_t clocks = 6;
    std::size_t blocks = 7;
    std::size_t most_keys = 12;
    pt::TableExchange exchange = pt::TableExchange::automatic;

    std::vector<std::uint32_t> keys_of(std::size_t clock, std::size_t block) const {
        const std::uint64_t draw = scrambled(seed, static_cast<std::uint32_t>(clock), block);
        std::vector<std::uint32_t> chosen;
        for (std::size_t i = 0; i < draw % (most_keys + 1); ++i)
            chosen.push_back(static_cast<std::uint32_t>(scrambled(draw, static_cast<std::uint32_t>(i)) % keys));
        std::sort(chosen.begin(), chosen.end());
        chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
        return chosen;
    }

    /// What a block adds to one number, seeing its value.
    float delta(std::size_t clock, std::size_t block, std::uint32_t key, std::size_t element, float value) const {
        const std::uint64_t draw =
            scrambled(seed + key * 1000 + element, static_cast<std::uint32_t>(clock), block + 77);
        if (draw % 9 == 0) return 0;
        const float noise = static_cast<float>(static_cast<std::int64_t>(draw % 2'000'001) - 1'000'000) * 1e-6F;
        return noise - 0.25F * std::clamp(value, -4.0F, 4.0F);
    }
};

void update(const pt::Sum&, float* element, double sum) { element[0] = static_cast<float>(double{element[0]} + sum); }
void update(const pt::Sgd& rule, float* element, double sum) {
    element[0] = static_cast<float>(pt::fused(-rule.rate, sum, double{element[0]}));
}
void update(const pt::AdaGrad& rule, float* element, double sum) {
    element[1] = static_cast<float>(pt::fused(sum, sum, double{element[1]}));
    const double step = rule.rate / (std::sqrt(double{element[1]}) + rule.epsilon);
    element[0] = static_cast<float>(pt::fused(-step, sum, double{element[0]}));
}
void update(const pt::FtrlProximal& rule, float* element, double sum) {
    const double n = element[2], more = pt::fused(sum, sum, n);
    const double sigma = (std::sqrt(more) - std::sqrt(n)) / rule.alpha;
    element[1] = static_cast<float>(pt::fused(-sigma, double{element[0]}, double{element[1]} + sum));
    element[2] = static_cast<float>(more);
    const double z = element[1], sign = z < 0 ? -1.0 : 1.0;
    element[0] = std::abs(z) <= rule.l1
                     ? 0.0F
                     : static_cast<float>((sign * rule.l1 - z) /
                                          ((rule.beta + std::sqrt(double{element[2]})) / rule.alpha + rule.l2));
}

/// One plain loop over dense vectors.
std::vector<float> oracle(const Training& training, const Rule& rule) {
    const std::size_t size = static_cast<std::size_t>(training.keys) * training.width;
    std::vector<float> elements(3 * size);
    int exponent = 0;
    if (std::frexp(training.bound, &exponent) == 0.5) --exponent;
    for (std::size_t clock = 0; clock < training.clocks; ++clock) {
        std::vector<double> sums(size);  // whole numbers that a double holds
        for (std::size_t block = 0; block < training.blocks; ++block) {
            for (const std::uint32_t key : training.keys_of(clock, block)) {
                for (std::size_t k = 0; k < training.width; ++k) {
                    const std::size_t at = key * training.width + k;
                    const float delta = training.delta(clock, block, key, k, elements[3 * at]);
                    sums[at] += std::nearbyint(std::ldexp(double{delta}, 50 - exponent));
                }
            }
        }
        for (std::size_t at = 0; at < size; ++at) {
            if (sums[at] == 0) continue;
            std::visit(
                [&](const auto& which) { update(which, &elements[3 * at], std::ldexp(sums[at], exponent - 50)); },
                rule);
        }
    }
    std::vector<float> values;
    for (std::size_t at = 0; at < size; ++at) values.push_back(elements[3 * at]);
    return values;
}

/// What a worker does in one clock but for its end.
void work(pt::ParameterTable& table, const Training& training, pt::Session& session) {
    const std::size_t clock = table.clock();
    for (std::size_t block = session.rank(); block < training.blocks; block += session.size()) {
        const std::vector<std::uint32_t> keys = training.keys_of(clock, block);
        std::vector<float> values(keys.size() * training.width);
        table.pull(keys, values);
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = training.delta(clock, block, keys[i / training.width], i % training.width, values[i]);
        table.push(keys, values);
    }
}

pt::ParameterTableSettings settings_of(const Training& training) {
    return {.keys = training.keys, .width = training.width, .bound = training.bound, .exchange = training.exchange};
}

std::string as_text(const std::vector<float>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

/// All values of the table at the end, as one worker has them, in bytes.
std::string trained(pt::Session& session, const Training& training, const Rule& rule) {
    return std::visit(
        [&](const auto& which) {
            pt::ParameterTable table(session, settings_of(training), which);
            while (table.clock() < training.clocks) {
                work(table, training, session);
                table.advance();
            }
            const pt::TableContents contents = table.collect();
            std::vector<float> values(static_cast<std::size_t>(training.keys) * training.width);
            for (std::size_t i = 0; i < contents.keys.size(); ++i)
                std::copy_n(contents.values.data() + i * training.width, training.width,
                            values.data() + contents.keys[i] * training.width);
            return as_text(values);
        },
        rule);
}

const std::vector<Rule> rules{pt::Sum{}, pt::Sgd{}, pt::AdaGrad{}, pt::FtrlProximal{.l1 = 0.4, .l2 = 0.1}};

template <class Policy>
void equals_the_oracle(std::size_t workers, const Training& training, const Rule& rule) {
    CAPTURE(workers, training.seed, training.width, rule.index(), int(training.exchange));
    const auto lines = report<Policy>({.workers = workers, .deadline_seconds = 20},
                                      [&](pt::Session& session) { return trained(session, training, rule); });
    CHECK(lines == all(workers, as_text(oracle(training, rule))));
}

template <class Consistency>
using Server = pt::ParameterServer<Transport, Consistency>;

}  // namespace

TEST_CASE("a synchronous table has the bits of one plain loop, for any number of workers", "[comm][table]") {
    for (const std::size_t workers : worker_counts({1, 2, 3, 5, 8})) {
        std::uint64_t seed = 10 * workers;
        for (const Rule& rule : rules) {
            const Training training{.seed = ++seed, .width = 1 + seed % 3};
            equals_the_oracle<Server<pt::Bsp>>(workers, training, rule);
            equals_the_oracle<Server<pt::Ssp<0>>>(workers, training, rule);
            equals_the_oracle<pt::TreeAggregate<Transport>>(workers, training, rule);
            for (const auto exchange : {pt::TableExchange::dense, pt::TableExchange::touched}) {
                Training twin = training;
                twin.exchange = exchange;
                equals_the_oracle<pt::RingAllReduce<Transport>>(workers, twin, rule);
            }
        }
        equals_the_oracle<Star<>>(workers, {.seed = ++seed}, rules[3]);
        equals_the_oracle<pt::Faulty<pt::Checked<Server<pt::Bsp>>>>(workers, {.seed = ++seed}, rules[3]);
        equals_the_oracle<Server<pt::Bsp>>(workers, {.seed = ++seed, .keys = 2, .most_keys = 2}, rules[0]);
        equals_the_oracle<Server<pt::Bsp>>(workers, {.seed = ++seed, .keys = 3000, .most_keys = 900}, rules[2]);
    }
}
