// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a metric gives: a number, or the reason why there is none.

#include <partita/core/error.hpp>
#include <partita/core/version.hpp>

#include <charconv>
#include <string>
#include <utility>

namespace partita::inline PARTITA_ABI {

/// A metric's value, or "undefined" with its reason: never a NaN.
///
/// Where a number is expected a Score is one. Errors: UndefinedMetric, with the reason, when the value of an undefined score
/// is asked for; `value_or` does not throw.
class Score {
  public:
    explicit Score(double value) : value_(value) {}
    /// A score without a value; the reason completes the sentence "the metric is undefined: …".
    static Score undefined(std::string reason) {
        Score score(0.0);
        score.defined_ = false;
        score.reason_ = std::move(reason);
        return score;
    }

    bool defined() const noexcept { return defined_; }
    double value() const {
        if (!defined_) {
            throw UndefinedMetric("the metric is undefined: " + reason_ +
                                  "; ask defined() first, or take value_or(what you want instead)");
        }
        return value_;
    }
    double value_or(double otherwise) const noexcept { return defined_ ? value_ : otherwise; }
    /// Why there is no value; empty where there is one.
    const std::string& reason() const noexcept { return reason_; }

    operator double() const { return value(); }

    friend bool operator==(const Score& a, const Score& b) {
        return a.defined_ == b.defined_ && (a.defined_ ? a.value_ == b.value_ : a.reason_ == b.reason_);
    }

  private:
    double value_;
    bool defined_ = true;
    std::string reason_;
};

/// Appends the value with so many significant digits (fewer than 1: the shortest text that reads back as the same number),
/// or "undefined (reason)".
inline void append_text(std::string& text, const Score& score, int precision = 0) {
    if (!score.defined()) {
        text.append("undefined (").append(score.reason()).append(")");
        return;
    }
    char digits[128];
    char* const last = digits + sizeof digits;
    const auto written = precision < 1 ? std::to_chars(digits, last, score.value())
                                       : std::to_chars(digits, last, score.value(), std::chars_format::general,
                                                       precision > 100 ? 100 : precision);
    text.append(digits, written.ptr);
}
/// The score as append_text writes it.
inline std::string to_text(const Score& score) {
    std::string text;
    append_text(text, score);
    return text;
}

}  // namespace partita::inline PARTITA_ABI
