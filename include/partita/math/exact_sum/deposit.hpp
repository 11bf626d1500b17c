// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inner loops of exact sums: doubles into planes of digits. Every operation in them is exact, so the width of the
// vectors changes nothing but the time. They are written with the vector types that g++ and clang share, since loops over
// planes would be vectorised at some levels of optimisation and not at others.

#include <partita/math/exact_sum/grid.hpp>

#include <algorithm>

namespace partita::inline PARTITA_ABI::detail {

// The conditions are those of the ABI tag, so that code for different widths never meets under one name.
#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__)
inline constexpr std::size_t lane_bytes = 64;
using DoubleLanes = double __attribute__((vector_size(64)));
using IntegerLanes = long long __attribute__((vector_size(64)));
#elif defined(__AVX2__) && defined(__FMA__)
inline constexpr std::size_t lane_bytes = 32;
using DoubleLanes = double __attribute__((vector_size(32)));
using IntegerLanes = long long __attribute__((vector_size(32)));
#else
inline constexpr std::size_t lane_bytes = 16;
using DoubleLanes = double __attribute__((vector_size(16)));
using IntegerLanes = long long __attribute__((vector_size(16)));
#endif
inline constexpr std::size_t lane_count = lane_bytes / sizeof(double);
/// What the kernels may touch beyond the last element of a plane.
inline constexpr std::size_t plane_padding = 8;
/// Elements that are checked together before they are deposited.
inline constexpr std::size_t tile_size = 256;

template <class Lanes>
inline Lanes load_lanes(const void* from) {
    Lanes lanes;
    __builtin_memcpy(&lanes, from, sizeof(Lanes));
    return lanes;
}
template <class Lanes>
inline void store_lanes(void* to, Lanes lanes) {
    __builtin_memcpy(to, &lanes, sizeof(Lanes));
}
inline bool any_lane(IntegerLanes lanes) {
    long long all = 0;
    for (std::size_t i = 0; i < lane_count; ++i) all |= lanes[static_cast<int>(i)];
    return all != 0;
}
/// Calls body(i, lanes) with values[i], values[i + 1], …; what the last lanes lack is filled up with zeros.
template <class Body>
inline void for_each_lanes(const double* values, std::size_t count, Body body) {
    const std::size_t whole = count - count % lane_count;
    for (std::size_t i = 0; i < whole; i += lane_count) body(i, load_lanes<DoubleLanes>(values + i));
    if (whole == count) return;
    double padded[lane_count] = {};
    for (std::size_t i = whole; i < count; ++i) padded[i - whole] = values[i];
    body(whole, load_lanes<DoubleLanes>(padded));
}

/// Whether some magnitude exceeds the limit (not-a-numbers and infinities always do).
inline bool any_above(const double* values, std::size_t count, std::uint64_t limit_bits) {
    const auto limit = static_cast<long long>(limit_bits), magnitude = static_cast<long long>(~sign_bit);
    IntegerLanes above{};
    for_each_lanes(values, count, [&](std::size_t, DoubleLanes lanes) {
        // Both are positive as integers, so the sign of the difference tells.
        above |= limit - (reinterpret_cast<IntegerLanes>(lanes) & magnitude);
    });
    return any_lane(above < 0);
}
inline std::uint64_t largest_magnitude_bits(const double* values, std::size_t count) {
    std::uint64_t largest = 0;
    for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, magnitude_bits(values[i]));
    return largest;
}

/// Takes the digit of one plane off the remainders.
inline IntegerLanes split_lanes(DoubleLanes& rest, double addend) {
    const DoubleLanes splitters = addend - DoubleLanes{};
    const DoubleLanes sum = rest + splitters;
    rest -= sum - splitters;
    return reinterpret_cast<IntegerLanes>(sum) - reinterpret_cast<IntegerLanes>(splitters);
}
inline double split_one(double rest, int top, int bottom) {
    for (int plane = top; plane >= bottom; --plane) rest -= (rest + splitter(plane)) - splitter(plane);
    return rest;
}

/// Adds the digits of values[i] to digits[i] of the planes top, top - 1, …, which lie `stride` below each other, and says
/// whether all values ended there. All magnitudes are at most the limit of the top plane.
template <int Planes>
inline bool deposit_planes(std::int64_t* digits, std::size_t stride, int top, const double* values, std::size_t count) {
    double addends[Planes];
    for (int k = 0; k < Planes; ++k) addends[k] = splitter(top - k);
    IntegerLanes left{};
    for_each_lanes(values, count, [&](std::size_t i, DoubleLanes rest) {
        for (int k = 0; k < Planes; ++k) {
            std::int64_t* at = digits + i - static_cast<std::size_t>(k) * stride;
            store_lanes(at, load_lanes<IntegerLanes>(at) + split_lanes(rest, addends[k]));
        }
        left |= reinterpret_cast<IntegerLanes>(rest) << 1;
    });
    return !any_lane(left);
}
inline bool deposit_tile(std::int64_t* digits, std::size_t stride, int top, int planes, const double* values,
                         std::size_t count) {
    switch (planes) {
        case 1: return deposit_planes<1>(digits, stride, top, values, count);
        case 2: return deposit_planes<2>(digits, stride, top, values, count);
        case 3: return deposit_planes<3>(digits, stride, top, values, count);
        case 4: return deposit_planes<4>(digits, stride, top, values, count);
        default: break;
    }
    IntegerLanes left{};
    for_each_lanes(values, count, [&](std::size_t i, DoubleLanes rest) {
        for (int k = 0; k < planes; ++k) {
            std::int64_t* at = digits + i - static_cast<std::size_t>(k) * stride;
            store_lanes(at, load_lanes<IntegerLanes>(at) + split_lanes(rest, splitter(top - k)));
        }
        left |= reinterpret_cast<IntegerLanes>(rest) << 1;
    });
    return !any_lane(left);
}

/// Sums the digits of all values in the planes top, top - 1, …: totals[k] of plane top - k; says whether all values ended
/// there. At most 4000 values a lane.
template <int Planes>
inline bool sum_planes(Int128 (&totals)[Planes], int top, const double* values, std::size_t count) {
    double addends[Planes];
    IntegerLanes sums[Planes];
    for (int k = 0; k < Planes; ++k) {
        addends[k] = splitter(top - k);
        sums[k] = IntegerLanes{};
    }
    IntegerLanes left{};
    for_each_lanes(values, count, [&](std::size_t, DoubleLanes rest) {
        for (int k = 0; k < Planes; ++k) sums[k] += split_lanes(rest, addends[k]);
        left |= reinterpret_cast<IntegerLanes>(rest) << 1;
    });
    for (int k = 0; k < Planes; ++k) {
        totals[k] = 0;
        for (std::size_t lane = 0; lane < lane_count; ++lane) totals[k] += sums[k][static_cast<int>(lane)];
    }
    return !any_lane(left);
}

/// Carries what exceeds a balanced digit to the plane above, and says whether anything was carried.
inline bool carry_plane(std::int64_t* digits, std::int64_t* above, std::size_t count) {
    std::int64_t any = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::int64_t carry = (digits[i] + half_digit) >> digit_bits;
        digits[i] -= carry << digit_bits;
        if (above) above[i] += carry;
        any |= carry;
    }
    return any != 0;
}

}  // namespace partita::inline PARTITA_ABI::detail
