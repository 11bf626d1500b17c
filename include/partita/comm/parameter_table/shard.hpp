// SPDX-License-Identifier: Apache-2.0
#pragma once

// The part of a table that lies on one worker.

#include <partita/comm/parameter_table/deltas.hpp>
#include <partita/comm/shares.hpp>
#include <partita/comm/update_rules.hpp>
#include <partita/core/version.hpp>
#include <partita/exec/thread_pool.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

/// How many keys before its turn an element is fetched from memory.
inline constexpr std::size_t keys_ahead = 12;

/// An update rule, whatever its type: one virtual call for all keys of a clock.
class AnyRule {
  public:
    virtual ~AnyRule() = default;
    /// How many floats an element has: its value, then the rule's states.
    virtual std::size_t stride() const noexcept = 0;
    /// What must be the same on all workers, as far as the rule says it.
    virtual Bytes settings() const = 0;
    /// Of the deltas' keys [begin, end).
    virtual void apply(std::span<float> elements, std::uint64_t first_key, std::size_t width, const Deltas& deltas,
                       std::size_t begin, std::size_t end, const TableUnit& unit) const = 0;
};

[[noreturn]] inline void refuse_value(std::uint64_t key) {
    throw NumericOverflow("the value of key " + std::to_string(key) +
                              " of a parameter table, or what its rule keeps beside it, left the range of float; take "
                              "smaller steps or deltas",
                          Place{.element = static_cast<std::int64_t>(key)});
}

template <class Rule>
Bytes settings_of(const Rule& rule) {
    Bytes bytes;
    ByteWriter writer(bytes);
    writer.write_sized(std::string_view(typeid(Rule).name()));
    if constexpr (requires { rule.settings(); })
        for (const auto number : rule.settings()) writer.write(number);
    return bytes;
}

template <UpdateRule Rule>
class RuleOf final : public AnyRule {
  public:
    explicit RuleOf(const Rule& rule) : rule_(rule) { rule_.check(); }

    std::size_t stride() const noexcept override { return 1 + Rule::states; }
    Bytes settings() const override { return settings_of(rule_); }

    void apply(std::span<float> elements, std::uint64_t first_key, std::size_t width, const Deltas& deltas,
               std::size_t begin, std::size_t end, const TableUnit& unit) const override {
        const auto begin_of = [&](std::uint32_t key) {
            return elements.data() + (key - first_key) * width * (1 + Rule::states);
        };
        for (std::size_t i = begin; i < end; ++i) {
            // Keys lie far apart: without this the memory is waited for at every one of them.
            if (i + keys_ahead < end) __builtin_prefetch(begin_of(deltas.keys[i + keys_ahead]), 1);
            float* element = begin_of(deltas.keys[i]);
            for (std::size_t k = 0; k < width; ++k, element += 1 + Rule::states) {
                const std::int64_t sum = deltas.sums[i * width + k];
                if (sum == 0) continue;
                std::array<float, Rule::states> state;
                for (std::size_t s = 0; s < Rule::states; ++s) state[s] = element[1 + s];
                rule_.update(element[0], state, unit.value(sum));
                bool finite = std::isfinite(element[0]);
                for (std::size_t s = 0; s < Rule::states; ++s) {
                    element[1 + s] = state[s];
                    finite = finite && std::isfinite(state[s]);
                }
                if (!finite) refuse_value(deltas.keys[i]);
            }
        }
    }

  private:
    Rule rule_;
};

template <KeyRule Rule>
class KeyRuleOf final : public AnyRule {
  public:
    KeyRuleOf(const Rule& rule, std::size_t width) : rule_(rule) {
        rule_.check();
        if (width == Rule::width) return;
        throw InvalidSetting("width of a parameter table is " + std::to_string(width) + ", and its rule is for " +
                                 std::to_string(Rule::width) + " numbers a key; give that width",
                             Place{.setting = "width"});
    }

    std::size_t stride() const noexcept override { return 1; }
    Bytes settings() const override { return settings_of(rule_); }

    void apply(std::span<float> elements, std::uint64_t first_key, std::size_t, const Deltas& deltas, std::size_t begin,
               std::size_t end, const TableUnit& unit) const override {
        constexpr std::size_t width = Rule::width;
        for (std::size_t i = begin; i < end; ++i) {
            std::array<double, width> sums;
            bool zero = true;
            for (std::size_t k = 0; k < width; ++k) {
                const std::int64_t sum = deltas.sums[i * width + k];
                sums[k] = unit.value(sum);
                zero = zero && sum == 0;
            }
            if (zero) continue;
            const std::span<float, width> values(elements.data() + (deltas.keys[i] - first_key) * width, width);
            rule_.update(deltas.keys[i], values, sums);
            for (const float value : values)
                if (!std::isfinite(value)) refuse_value(deltas.keys[i]);
        }
    }

  private:
    Rule rule_;
};

/// A run of keys with their values and the rule's states.
class TableShard {
  public:
    TableShard(std::uint64_t first_key, std::uint64_t keys, std::size_t width, std::shared_ptr<const AnyRule> rule,
               const TableUnit& unit)
        : first_key_(first_key),
          keys_(keys),
          width_(width),
          unit_(unit),
          rule_(std::move(rule)),
          stride_(rule_->stride()),
          elements_(static_cast<std::size_t>(keys) * width * stride_) {}

    std::uint64_t end_key() const noexcept { return first_key_ + keys_; }
    std::size_t width() const noexcept { return width_; }
    const TableUnit& unit() const noexcept { return unit_; }

    /// Runs the rule once per key, on the threads of a pool if there is one. Errors: NumericOverflow for a sum beyond the bound or a
    /// value beyond float; the shard is then of no use.
    void apply(const Deltas& deltas, ThreadPool* pool = nullptr) {
        check_sums(deltas, width_, unit_);
        const std::size_t count = deltas.keys.size(), some = 4096;
        if (pool == nullptr) return rule_->apply(elements_, first_key_, width_, deltas, 0, count, unit_);
        pool->for_each((count + some - 1) / some, [&](std::size_t i, std::size_t) {
            rule_->apply(elements_, first_key_, width_, deltas, i * some, std::min(count, (i + 1) * some), unit_);
        });
    }

    /// The values of keys that lie here, `width` floats each.
    void read(std::span<const std::uint32_t> keys, float* values) const {
        const auto begin_of = [&](std::uint32_t key) {
            return elements_.data() + (key - first_key_) * width_ * stride_;
        };
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (i + keys_ahead < keys.size()) __builtin_prefetch(begin_of(keys[i + keys_ahead]));
            const float* element = begin_of(keys[i]);
            for (std::size_t k = 0; k < width_; ++k, element += stride_) *values++ = *element;
        }
    }

    /// How many numbers a key has: its values, and with `states` those that the rule keeps.
    std::size_t numbers_of_key(bool states) const noexcept { return states ? width_ * stride_ : width_; }

    /// Appends the keys that have a number other than zero, with these numbers.
    void append_non_zero(bool states, std::vector<std::uint32_t>& keys, std::vector<float>& numbers) const {
        const std::size_t step = states ? 1 : stride_, all = width_ * stride_;
        const float* element = elements_.data();
        for (std::uint64_t key = first_key_; key < end_key(); ++key, element += all) {
            bool zero = true;
            for (std::size_t k = 0; k < all; k += step) zero = zero && element[k] == 0;
            if (zero) continue;
            keys.push_back(static_cast<std::uint32_t>(key));
            for (std::size_t k = 0; k < all; k += step) numbers.push_back(element[k]);
        }
    }

    /// Gives the keys that lie here, of some ascending ones, these values and states.
    void assign(std::span<const std::uint32_t> keys, std::span<const float> numbers) {
        const std::size_t all = width_ * stride_;
        for (std::size_t i = 0; i < keys.size(); ++i)
            if (keys[i] >= first_key_ && keys[i] < end_key())
                std::copy_n(numbers.data() + i * all, all, elements_.data() + (keys[i] - first_key_) * all);
    }

  private:
    std::uint64_t first_key_;
    std::uint64_t keys_;
    std::size_t width_;
    TableUnit unit_;
    std::shared_ptr<const AnyRule> rule_;
    std::size_t stride_;
    std::vector<float> elements_;  // by key, then by element: its value, its states
};

}  // namespace partita::inline PARTITA_ABI::detail
