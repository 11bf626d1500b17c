// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/version.hpp>

#include <cstddef>

namespace partita::inline PARTITA_ABI {

/// The frequency weights of a run of rows: row i counts `weights[i]` times. Without values every row counts once, which
/// kernels may take a shorter way for. Weights are finite and not negative: datasets check that before any stage sees them.
class Weights {
  public:
    constexpr Weights() = default;
    constexpr explicit Weights(const double* values) : values_(values) {}

    constexpr bool unit() const { return values_ == nullptr; }
    constexpr double operator[](std::size_t row) const { return values_ ? values_[row] : 1.0; }
    constexpr const double* data() const { return values_; }
    /// The weights from `row` on.
    constexpr Weights from(std::size_t row) const { return values_ ? Weights(values_ + row) : Weights(); }

  private:
    const double* values_ = nullptr;
};

}  // namespace partita::inline PARTITA_ABI
