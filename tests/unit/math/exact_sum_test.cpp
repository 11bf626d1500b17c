// SPDX-License-Identifier: Apache-2.0
#include <partita/math/accumulator.hpp>
#include <partita/math/exact_sum.hpp>

#include "workers.hpp"

#include <catch2/catch.hpp>

#include <cfenv>
#include <cmath>
#include <limits>
#include <random>

namespace exact_sum_test {

using namespace partita;

static_assert(ExactAccumulator<ExactSums> && ExactAccumulator<ExactSum> && exact_state<ExactSums>);
static_assert(!ExactAccumulator<double> && !exact_state<double>);
static_assert(!state_is_keyed<ExactSums>());

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double denormal = std::numeric_limits<double>::denorm_min();
constexpr double largest = std::numeric_limits<double>::max();

// The oracle: a fixed-point number of 2240 bits in units of 2^-1074, in two's complement, bit by bit. It shares nothing with
// what it judges.
class Oracle {
  public:
    void add(double value) {
        int exponent = 0;
        const double fraction = std::frexp(std::fabs(value), &exponent);  // value = ±fraction·2^exponent
        auto mantissa = static_cast<std::uint64_t>(std::ldexp(fraction, 53));
        int shift = exponent - 53 + 1074;
        if (shift < 0) {
            mantissa >>= -shift;  // a subnormal: the bits that go are zero
            shift = 0;
        }
        std::array<std::uint32_t, 70> term{};
        for (int bit = 0; bit < 53; ++bit) {
            if (mantissa >> bit & 1) term[static_cast<std::size_t>((bit + shift) / 32)] |= 1U << ((bit + shift) % 32);
        }
        std::uint64_t carry = 0;
        if (value < 0) {
            carry = 1;
            for (auto& word : term) word = ~word;
        }
        for (std::size_t i = 0; i < term.size(); ++i) {
            carry += std::uint64_t{words_[i]} + term[i];
            words_[i] = static_cast<std::uint32_t>(carry);
            carry >>= 32;
        }
    }
    double value() const {
        auto words = words_;
        const bool negative = words.back() >> 31;
        if (negative) {
            std::uint64_t carry = 1;
            for (auto& word : words) {
                carry += static_cast<std::uint32_t>(~word);
                word = static_cast<std::uint32_t>(carry);
                carry >>= 32;
            }
        }
        const auto bit = [&](int i) {
            return i >= 0 && (words[static_cast<std::size_t>(i / 32)] >> (i % 32) & 1) != 0;
        };
        int top = 70 * 32 - 1;
        while (top >= 0 && !bit(top)) --top;
        if (top < 0) return 0.0;
        std::uint64_t mantissa = 0;
        const int last = std::max(top - 52, 0);
        for (int i = top; i >= last; --i) mantissa = mantissa << 1 | bit(i);
        bool below = false;
        for (int i = 0; i < last - 1; ++i) below |= bit(i);
        if (bit(last - 1) && (below || (mantissa & 1))) ++mantissa;
        const double magnitude = std::ldexp(static_cast<double>(mantissa), last - 1074);
        return negative ? -magnitude : magnitude;
    }

  private:
    std::array<std::uint32_t, 70> words_{};
};

double exact(const std::vector<double>& terms) {
    Oracle oracle;
    for (double term : terms) oracle.add(term);
    return oracle.value();
}

// Kinds of data that are hard in different ways.
std::vector<double> terms_of(int kind, std::size_t count, std::uint64_t seed) {
    std::mt19937_64 generator(seed);
    std::uniform_real_distribution<double> unit(-1, 1), magnitude(-300, 300), narrow(-15, 15), bits(-1074, 1023);
    std::vector<double> terms;
    while (terms.size() < count) {
        const double u = unit(generator);
        switch (kind) {
            case 0: terms.push_back(u); break;
            case 1: terms.push_back(u * std::pow(10, magnitude(generator))); break;
            case 2: terms.push_back(u * std::pow(10, narrow(generator))); break;
            case 3: terms.push_back(u * 1e-308); break;                     // on the border of the subnormals
            case 4: terms.push_back(std::floor(u * 40) * denormal); break;  // deep among them
            case 5:
                terms.push_back(u * 1e308 * (generator() % 2 ? 1.0 : 1e-10));
                break;  // beyond the fast path; may overflow
            case 6: terms.push_back(std::ldexp(u < 0 ? -1 : 1, static_cast<int>(bits(generator)))); break;
            case 7: terms.push_back(std::floor(u * 1e9)); break;
            case 8: terms.push_back(generator() % 4 ? 0.0 : -0.0); break;
            case 9:  // everything cancels but the last
                terms.push_back(u * std::pow(10, magnitude(generator)));
                terms.push_back(-terms.back());
                break;
            default:  // ties of rounding
                terms.push_back(1.0);
                terms.push_back(generator() % 2 ? 0x1p-53 : -0x1p-54);
                terms.push_back(generator() % 3 ? 0.0 : denormal);
        }
    }
    terms.resize(count);
    return terms;
}
constexpr int kinds = 11;

ExactSums column_sums(const std::vector<std::vector<double>>& rows, std::size_t from, std::size_t to) {
    ExactSums sums(rows[0].size());
    for (std::size_t i = from; i < to; ++i) sums.add(rows[i]);
    return sums;
}

}  // namespace

TEST_CASE("an exact sum is the correctly rounded sum", "[math]") {
    for (int kind = 0; kind < kinds; ++kind) {
        for (std::size_t count : {1U, 2U, 3U, 17U, 64U, 500U}) {
            for (std::uint64_t seed = 0; seed < 12; ++seed) {
                const auto terms = terms_of(kind, count, seed + 100 * count);
                ExactSum one_by_one, at_once;
                for (double term : terms) one_by_one.add(term);
                at_once.add(terms);
                CAPTURE(kind, count, seed);
                REQUIRE(one_by_one.value() == exact(terms));
                REQUIRE(at_once.value() == exact(terms));
                REQUIRE(at_once == one_by_one);
                // What the high part leaves is the low part, again correctly rounded.
                auto left = terms;
                left.push_back(-exact(terms));
                if (std::isfinite(exact(terms))) {
                    REQUIRE(one_by_one.value2().high == exact(terms));
                    REQUIRE(one_by_one.value2().low == exact(left));
                }
            }
        }
    }
}

TEST_CASE("vectors of exact sums equal element after element", "[math]") {
    for (std::size_t width : {1U, 2U, 5U, 8U, 31U, 256U, 300U}) {
        std::vector<std::vector<double>> rows;
        for (int kind = 0; kind < kinds; ++kind) rows.push_back(terms_of(kind, width, 7 + width));
        ExactSums sums(width);
        for (const auto& row : rows) sums.add(row);
        ExactSums parts(width);
        for (const auto& row : rows) {
            parts.add(0, std::span(row).first(width / 3));
            parts.add(width / 3, std::span(row).subspan(width / 3));
        }
        ExactSums singles(width);
        for (const auto& row : rows) {
            for (std::size_t i = 0; i < width; ++i) singles.add(i, row[i]);
        }
        for (std::size_t i = 0; i < width; ++i) {
            Oracle oracle;
            for (const auto& row : rows) oracle.add(row[i]);
            CAPTURE(width, i);
            REQUIRE(sums.value(i) == oracle.value());
        }
        REQUIRE(parts == sums);
        REQUIRE(singles == sums);
    }
}

TEST_CASE("1000 orders and groupings of the same terms give the same state", "[math]") {
    std::vector<std::vector<double>> rows;
    for (int kind = 0; kind < kinds; ++kind) {
        for (std::uint64_t seed = 0; seed < 3; ++seed) rows.push_back(terms_of(kind, 9, seed));
    }
    rows.push_back({not_a_number, infinity, -infinity, 1, 2, infinity, not_a_number, 0, -0.0});
    rows.push_back({1, infinity, infinity, 1, 2, 3, not_a_number, 0, -0.0});
    ExactSums wanted = column_sums(rows, 0, rows.size());
    std::mt19937_64 generator(5);
    std::vector<int> agreed;
    for (int trial = 0; trial < 1000; ++trial) {
        std::shuffle(rows.begin(), rows.end(), generator);
        std::vector<ExactSums> states;
        for (std::size_t from = 0; from < rows.size();) {
            const std::size_t to = std::min(rows.size(), from + generator() % 6);
            states.push_back(column_sums(rows, from, to));
            from = to;
        }
        while (states.size() > 1) {  // a random tree of merges
            const std::size_t a = generator() % states.size();
            std::swap(states[a], states.back());
            const ExactSums last = std::move(states.back());
            states.pop_back();
            states[generator() % states.size()].merge(last);
        }
        if (trial % 3 == 0) states[0].normalise();
        if (!(states[0] == wanted)) FAIL("trial " << trial);
        agreed.push_back(trial);
    }
    REQUIRE(agreed.size() == 1000);
}

TEST_CASE("exact sums form a group", "[math]") {
    for (int kind = 0; kind < kinds; ++kind) {
        std::vector<std::vector<double>> rows;
        for (std::uint64_t seed = 0; seed < 9; ++seed) rows.push_back(terms_of(kind, 21, seed));
        const ExactSums a = column_sums(rows, 0, 3), b = column_sums(rows, 3, 7), c = column_sums(rows, 7, 9);
        ExactSums ab = a, ba = b, ab_c, a_bc = a, bc = b;
        ab.merge(b);
        ba.merge(a);
        REQUIRE(ab == ba);
        ab_c = ab;
        ab_c.merge(c);
        bc.merge(c);
        a_bc.merge(bc);
        REQUIRE(ab_c == a_bc);
        ExactSums identity;
        identity.merge(a);
        REQUIRE(identity == a);
        ab.withdraw(b);
        REQUIRE(ab == a);
        ab.withdraw(a);
        REQUIRE(ab == ExactSums(21));
        REQUIRE((ab_c == ab) == (kind == 8));  // where all terms are zero
        ExactSums twice = a;
        twice.merge(twice);
        for (std::size_t i = 0; i < 21; ++i) {
            Oracle oracle;
            for (int k = 0; k < 2; ++k) {
                for (std::size_t row = 0; row < 3; ++row) oracle.add(rows[row][i]);
            }
            REQUIRE(twice.value(i) == oracle.value());
        }
    }
}

TEST_CASE("what is no number is counted and can be withdrawn", "[math]") {
    ExactSums sums(4);
    sums.add(std::vector<double>{1, 2, 3, 4});
    const ExactSums before = sums;
    ExactSums odd(4);
    odd.add(std::vector<double>{not_a_number, infinity, -infinity, infinity});
    odd.add(3, -infinity);
    sums.merge(odd);
    REQUIRE(std::isnan(sums.value(0)));
    REQUIRE(sums.value(1) == infinity);
    REQUIRE(sums.value(2) == -infinity);
    REQUIRE(std::isnan(sums.value(3)));
    REQUIRE_FALSE(sums.finite());
    REQUIRE_FALSE(sums == before);
    REQUIRE(sums.value2(1).high == infinity);
    sums.withdraw(odd);
    REQUIRE(sums == before);
    REQUIRE(sums.finite());
    REQUIRE(sums.value(2) == 3);
    // Through the sum of a whole span, too.
    ExactSum one;
    one.add(std::vector<double>(100, infinity));
    REQUIRE(one.value() == infinity);
    ExactSum same = one;
    one.withdraw(same);
    REQUIRE(one == ExactSum());
}

TEST_CASE("overflow is infinite and comes back", "[math]") {
    ExactSum sum;
    sum.add(largest);
    sum.add(largest);
    REQUIRE(sum.value() == infinity);
    REQUIRE_FALSE(sum.finite());
    sum.add(-largest);
    REQUIRE(sum.value() == largest);
    sum.add(0x1p969);  // less than half a unit in the last place
    REQUIRE(sum.value() == largest);
    sum.add(0x1p969);  // now half a unit: a tie, to even, which is beyond
    REQUIRE(sum.value() == infinity);
    ExactSum many;
    for (int i = 0; i < 9000; ++i) many.add(-largest);
    REQUIRE(many.value() == -infinity);
    for (int i = 0; i < 9000; ++i) many.add(largest);
    REQUIRE(many.value() == 0);
    REQUIRE(many == ExactSum());
}

TEST_CASE("more deposits than digits can hold without carries", "[math]") {
    // The largest digits there are, of one sign, through each of the ways in.
    const std::vector<double> row(5, 0x1.fffffffffffffp+17);
    ExactSums blocks(5), singles(5), merged(5);
    for (int i = 0; i < 9001; ++i) {
        blocks.add(row);
        for (std::size_t k = 0; k < 5; ++k) singles.add(k, row[k]);
        ExactSums part(5);
        part.add(row);
        merged.merge(part);
    }
    const double wanted = 9001 * 0x1.fffffffffffffp+17;  // rounded once
    for (std::size_t k = 0; k < 5; ++k) {
        REQUIRE(blocks.value(k) == wanted);
    }
    REQUIRE(singles == blocks);
    REQUIRE(merged == blocks);
    ExactSums doubled = blocks;
    for (int i = 0; i < 13; ++i) {
        const ExactSums copy = doubled;
        doubled.merge(copy);
    }
    REQUIRE(doubled.value(0) == 0x1p13 * wanted);
    REQUIRE(doubled.value2(0).high + doubled.value2(0).low == 0x1p13 * wanted);
    ExactSum long_span;
    long_span.add(std::vector<double>(100000, 0x1.fffffffffffffp+17));
    REQUIRE(long_span.value() == 100000 * 0x1.fffffffffffffp+17);
}

TEST_CASE("differences of large sums keep their bits", "[math]") {
    ExactSum sum;
    sum.add(1e16);
    sum.add(1.0);
    REQUIRE(sum.value2().high == 1e16);  // a tie, to even
    REQUIRE(sum.value2().low == 1.0);
    sum.add(1e-20);
    REQUIRE(sum.value2().high == 1e16 + 2);  // no tie any more
    REQUIRE(sum.value2().low == -1.0);
    sum.add(-1e16);
    REQUIRE(sum.value2().high == 1.0);
    REQUIRE(sum.value2().low == 1e-20);
}

TEST_CASE("sums grow, and take sums of others", "[math]") {
    ExactSums sums;
    for (std::size_t n = 1; n < 200; ++n) {
        sums.resize(n);
        sums.add(n - 1, static_cast<double>(n) * 1e-5);
        sums.add(0, n % 2 ? 1e200 : not_a_number);
    }
    REQUIRE(std::isnan(sums.value(0)));
    for (std::size_t n = 2; n < 200; ++n) REQUIRE(sums.value(n - 1) == static_cast<double>(n) * 1e-5);
    ExactSum one;
    one.add_sum(sums, 7);
    one.add_sum(sums, 8);
    REQUIRE(one.value() == exact({8e-5, 9 * 1e-5}));
    one.add_sum(sums, 0);
    REQUIRE(std::isnan(one.value()));
    sums.clear();
    REQUIRE(sums.size() == 199);
    REQUIRE(sums.value(0) == 0);
    REQUIRE(sums == ExactSums(199));
}

TEST_CASE("a wrong width is refused", "[math]") {
    ExactSums sums(3);
    REQUIRE_THROWS_AS(sums.add(std::vector<double>(4)), WrongWidth);
    REQUIRE_THROWS_AS(sums.add(2, std::span<const double>(std::vector<double>(2))), WrongWidth);
    REQUIRE_THROWS_AS(sums.add(3, 1.0), WrongWidth);
    REQUIRE_THROWS_AS(sums.value(3), WrongWidth);
}

TEST_CASE("sums reduced over workers equal merged sums", "[math]") {
    std::vector<std::vector<double>> rows;
    for (int kind = 0; kind < kinds; ++kind) {
        for (std::uint64_t seed = 0; seed < 4; ++seed) rows.push_back(terms_of(kind, 37, seed));
    }
    for (int only = -1; only < kinds; ++only) {  // all kinds together, then each by itself
        for (std::size_t workers : {1U, 2U, 3U, 5U}) {
            std::vector<ExactSums> states(workers);
            ExactSums wanted;
            for (std::size_t i = 0; i < rows.size(); ++i) {
                if (only >= 0 && i / 4 != static_cast<std::size_t>(only)) continue;
                ExactSums row(37);
                row.add(rows[i]);
                // The last worker of five has seen nothing, not even how many sums there are.
                states[i % (workers == 5 ? 4 : workers)].merge(row);
                wanted.merge(row);
            }
            test::reduce(states);
            CAPTURE(only, workers);
            for (const auto& state : states) REQUIRE(state == wanted);
        }
    }
}

TEST_CASE("the wire carries extremes, borders and what is no number", "[math]") {
    // Sums whose bits begin anywhere in a digit, with one to many words.
    for (int low = -1074; low < 960; low += 13) {
        for (int span : {0, 1, 40, 50, 51, 52, 53, 63, 64, 90, 103, 104, 200}) {
            if (low + span > 1023) continue;
            for (double sign : {1.0, -1.0}) {
                std::vector<ExactSum> states(3);
                ExactSum wanted;
                for (std::size_t worker = 0; worker < 3; ++worker) {
                    for (double term : {sign * std::ldexp(1.0, low), -sign * std::ldexp(1.0, low + span),
                                        std::ldexp(worker == 1 ? 3.0 : 1.0, low + span)}) {
                        states[worker].add(term);
                        wanted.add(term);
                    }
                }
                test::reduce(states);
                CAPTURE(low, span, sign);
                for (const auto& state : states) REQUIRE(state == wanted);
            }
        }
    }
    std::vector<ExactSums> states(2, ExactSums(2));
    states[0].add(0, not_a_number);
    states[1].add(1, infinity);
    test::reduce(states);
    REQUIRE(std::isnan(states[0].value(0)));
    REQUIRE(states[0].value(1) == infinity);
    REQUIRE(states[0] == states[1]);
}

TEST_CASE("the words of 4095 workers add up", "[math]") {
    // One agreed window, the largest balanced words, all of one sign: what the last worker unpacks is the exact total.
    std::vector<ExactSum> states(4095);
    ExactSum wanted;
    for (auto& state : states) {
        for (double term : {0x1.fffffffffffffp+51, 0x1.fffffffffffffp-2, 0x1p-60}) {
            state.add(term);
            wanted.add(term);
        }
    }
    test::reduce(states);
    REQUIRE(states.front() == wanted);
    REQUIRE(states.back() == wanted);
}

TEST_CASE("ordinary data take two words an element on the wire", "[math]") {
    ExactSums sums(100);
    for (std::uint64_t seed = 0; seed < 100; ++seed) sums.add(terms_of(0, 100, seed));
    std::vector<std::int64_t> maxima, words;
    sums.offer_window(maxima);
    WordReader reader(maxima);
    sums.adopt_window(reader);
    sums.pack(words);
    REQUIRE(words.size() == 200);
    ExactSums integers(100);
    integers.add(std::vector<double>(100, 12345.0));
    maxima.clear();
    words.clear();
    integers.offer_window(maxima);
    reader = WordReader(maxima);
    integers.adopt_window(reader);
    integers.pack(words);
    REQUIRE(words.size() == 100);
}

TEST_CASE("the floating-point environment is checked", "[math]") {
    REQUIRE_NOTHROW(check_floating_point_environment());
#if defined(__SSE2__)
    const unsigned saved = __builtin_ia32_stmxcsr();
    for (unsigned bits : {0x8000U, 0x0040U, 0x2000U, 0x4000U, 0x6000U}) {
        bool threw = false;
        __builtin_ia32_ldmxcsr(saved | bits);
        try {
            check_floating_point_environment();
        } catch (const InvalidSetting& error) {
            threw = error.place().setting == "MXCSR";
        }
        __builtin_ia32_ldmxcsr(saved);
        REQUIRE(threw);
    }
#endif
}

TEST_CASE("a reader of words knows its end", "[math]") {
    const std::vector<std::int64_t> words = {1, 2, 3};
    WordReader reader(words);
    REQUIRE(reader.next() == 1);
    REQUIRE(reader.take(2)[1] == 3);
    REQUIRE(reader.left() == 0);
    REQUIRE_THROWS_AS(reader.next(), CollectiveMismatch);
}

}  // namespace exact_sum_test
