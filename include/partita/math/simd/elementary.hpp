// SPDX-License-Identifier: Apache-2.0
#pragma once

// exp, log and their kin on lanes: bit for bit the functions of <partita/math/elementary.hpp>.

#include <partita/core/version.hpp>
#include <partita/math/elementary.hpp>
#include <partita/math/simd/lanes.hpp>

#include <cstddef>
#include <cstdint>

namespace partita::inline PARTITA_ABI {

namespace detail {
using LaneBits = Raw<std::uint64_t, native_lanes<double>>;
}

template <std::size_t N>
Lanes<double, N> power_of_two(const Lanes<double, N>& shifted) {
    return Lanes<double, N>::made([&](std::size_t k) {
        const auto bits = (detail::LaneBits)detail::raw(shifted.part(k));
        return detail::native<double>(
            (detail::Raw<double, detail::native_lanes<double>>)((bits << 52) + 0x3ff0000000000000u));
    });
}

template <std::size_t N>
void split_exponent(const Lanes<double, N>& x, Lanes<double, N>& exponent, Lanes<double, N>& mantissa) {
    using Double = detail::Raw<double, detail::native_lanes<double>>;
    const auto biased = [&](std::size_t k) {
        return (detail::LaneBits)detail::raw(x.part(k)) - 0x3fe6a09e667f3bcdu + 0x3ff0000000000000u;
    };
    exponent = Lanes<double, N>::made([&](std::size_t k) {
        return detail::native<double>((Double)((biased(k) >> 52) | 0x4330000000000000u) - 0x1.00000000003ffp+52);
    });
    mantissa = Lanes<double, N>::made([&](std::size_t k) {
        const auto bits = (detail::LaneBits)detail::raw(x.part(k));
        return detail::native<double>((Double)(bits - (biased(k) & 0xfff0000000000000u) + 0x3ff0000000000000u));
    });
}

/// The functions of <partita/math/elementary.hpp>, lane by lane and bit by bit.
template <std::size_t N>
Lanes<double, N> exp(const Lanes<double, N>& x) {
    return detail::exp_of(x);
}
template <std::size_t N>
Lanes<double, N> expm1(const Lanes<double, N>& x) {
    return detail::expm1_of(x);
}
template <std::size_t N>
Lanes<double, N> log(const Lanes<double, N>& x) {
    return detail::log_of(x);
}
template <std::size_t N>
Lanes<double, N> log1p(const Lanes<double, N>& x) {
    return detail::log1p_of(x);
}
template <std::size_t N>
Lanes<double, N> sigmoid(const Lanes<double, N>& x) {
    return detail::sigmoid_of(x);
}
template <std::size_t N>
Lanes<double, N> softplus(const Lanes<double, N>& x) {
    return detail::softplus_of(x);
}

}  // namespace partita::inline PARTITA_ABI
