// SPDX-License-Identifier: Apache-2.0
#pragma once

// Fixed logical lanes over whatever registers there are. A kernel written over Lanes<double, 8> does the same additions in
// the same order on every instruction set, so it gives the same bits; only the number of registers differs.

#include <partita/core/version.hpp>
#include <partita/math/fused.hpp>

#include <xsimd/xsimd.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

namespace detail {

/// Numbers that begin on a cache line, so that no register's load touches two.
template <class T>
using AlignedVector = std::vector<T, xsimd::aligned_allocator<T, 64>>;

/// Asks for the cache lines of `size_bytes` bytes that begin `ahead_bytes` after `from`, which need not exist.
inline void prefetch(const void* from, std::size_t ahead_bytes, std::size_t size_bytes = 1) {
    const std::uintptr_t first = reinterpret_cast<std::uintptr_t>(from) + ahead_bytes;
    for (std::size_t b = 0; b < size_bytes; b += 64) {
        __builtin_prefetch(reinterpret_cast<const void*>(first + b));
        asm volatile("" : : "r"(first + b));  // a loop that only prefetches is removed by g++
    }
}

/// One register of T, and how many T it holds.
template <class T>
using Native = xsimd::batch<T>;
template <class T>
inline constexpr std::size_t native_lanes = Native<T>::size;

// The compiler's own vectors, for what xsimd spells differently from version to version.
template <class T, std::size_t N>
struct RawVector {
    typedef T type __attribute__((vector_size(N * sizeof(T))));
};
template <class T, std::size_t N>
using Raw = typename RawVector<T, N>::type;

template <class T>
Raw<T, native_lanes<T>> raw(const Native<T>& x) {
    return (Raw<T, native_lanes<T>>)(static_cast<typename Native<T>::register_type>(x));
}
template <class T>
Native<T> native(Raw<T, native_lanes<T>> x) {
    return Native<T>((typename Native<T>::register_type)(x));
}

/// N numbers of T, widened: N is at most a register of double.
template <std::size_t N>
Raw<double, N> widened(const float* from) {
    Raw<float, N> narrow;
    std::memcpy(&narrow, from, sizeof narrow);
#if defined(__AVX__)
    // g++ 12 makes two halves of a conversion; with the zeroing form it sees that nothing is undefined.
#if defined(__AVX512F__)
    if constexpr (N == 8) return (Raw<double, N>)_mm512_maskz_cvtps_pd(0xff, (__m256)narrow);
#endif
    if constexpr (N == 4) return (Raw<double, N>)_mm256_cvtps_pd((__m128)narrow);
    else return __builtin_convertvector(narrow, Raw<double, N>);
#else
    return __builtin_convertvector(narrow, Raw<double, N>);
#endif
}
template <std::size_t N>
Raw<double, N> widened(const double* from) {
    Raw<double, N> wide;
    std::memcpy(&wide, from, sizeof wide);
    return wide;
}

/// A register of double from memory of float or double.
template <class T>
Native<double> load_wide(const T* from) {
    return native<double>(widened<native_lanes<double>>(from));
}

/// a·b + c as fused() computes it. (xsimd 8.1 has no fused operation for AVX-512: there its fma() rounds twice, or once where
/// the compiler contracts it.)
template <class T>
Native<T> multiply_add(Native<T> a, Native<T> b, Native<T> c) {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == sizeof(double) && native_lanes<T> == 8) return _mm512_fmadd_pd(a, b, c);
    else if constexpr (native_lanes<T> == 16) return _mm512_fmadd_ps(a, b, c);
    else return xsimd::fma(a, b, c);
#elif defined(__FMA__)
    if constexpr (sizeof(T) == sizeof(double) && native_lanes<T> == 4) return _mm256_fmadd_pd(a, b, c);
    else if constexpr (native_lanes<T> == 8) return _mm256_fmadd_ps(a, b, c);
    else return xsimd::fma(a, b, c);
#elif defined(__ARM_FEATURE_FMA)
    return xsimd::fma(a, b, c);
#else
    return a * b + c;
#endif
}

/// a < b ? a : b and a > b ? a : b, lane by lane: b where one of them is NaN. (xsimd's are used nowhere: they need not agree
/// about NaN and zeros from one instruction set to the next, and g++ warns about those of AVX-512.)
template <class T>
Native<T> lesser(Native<T> a, Native<T> b) {
    const auto x = raw<T>(a), y = raw<T>(b);
    return native<T>(x < y ? x : y);
}
template <class T>
Native<T> greater(Native<T> a, Native<T> b) {
    const auto x = raw<T>(a), y = raw<T>(b);
    return native<T>(x > y ? x : y);
}

/// xsimd::sqrt, but for AVX-512, of whose plain intrinsic g++ 12 says that it reads what nobody wrote.
template <class T>
Native<T> square_root(Native<T> x) {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == sizeof(double) && native_lanes<T> == 8) return _mm512_maskz_sqrt_pd(0xff, x);
    else if constexpr (native_lanes<T> == 16) return _mm512_maskz_sqrt_ps(0xffff, x);
    else return xsimd::sqrt(x);
#else
    return xsimd::sqrt(x);
#endif
}

/// Makes x a rounded value that the compiler cannot fuse into a later addition.
template <class T>
Native<T> rounded(Native<T> x) {
    auto r = static_cast<typename Native<T>::register_type>(x);
#if defined(__x86_64__) || defined(__i386__)
    asm("" : "+v"(r));
#elif defined(__aarch64__)
    asm("" : "+w"(r));
#else
    asm("" : "+m"(r));
#endif
    return Native<T>(r);
}

}  // namespace detail

template <class T, std::size_t N>
class LaneMask;

/// N numbers of T (float or double) that are computed on together; N is a power of two of at least one register.
template <class T, std::size_t N>
class Lanes {
  public:
    using Part = detail::Native<T>;
    static constexpr std::size_t width = detail::native_lanes<T>;
    static constexpr std::size_t parts = N / width;
    static_assert(N % width == 0 && (N & (N - 1)) == 0, "Lanes: N is a power of two and fills whole registers");

    Lanes() : Lanes(T(0)) {}
    Lanes(T everywhere) : Lanes(everywhere, Each{}) {}

    /// N numbers from memory (any alignment; from float also into double).
    template <class S>
    static Lanes load(const S* from) {
        return made([&](std::size_t k) {
            if constexpr (sizeof(S) == sizeof(T)) {
                return Part::load_unaligned(from + k * width);
            } else {
                return detail::load_wide(from + k * width);
            }
        });
    }
    /// The first `count` numbers from memory, zeros after them; no memory beyond them is read.
    template <class S>
    static Lanes load(const S* from, std::size_t count) {
        T buffer[N] = {};
        for (std::size_t i = 0; i < count && i < N; ++i) buffer[i] = static_cast<T>(from[i]);
        return load(buffer);
    }
    void store(T* to) const { store(to, Each{}); }
    /// Stores the first `count` lanes.
    void store(T* to, std::size_t count) const {
        T buffer[N];
        store(buffer);
        for (std::size_t i = 0; i < count && i < N; ++i) to[i] = buffer[i];
    }

    friend Lanes operator+(const Lanes& a, const Lanes& b) {
        return made([&](std::size_t k) { return a.part_[k] + b.part_[k]; });
    }
    friend Lanes operator-(const Lanes& a, const Lanes& b) {
        return made([&](std::size_t k) { return a.part_[k] - b.part_[k]; });
    }
    /// The product, rounded: it is never fused with an addition that follows.
    friend Lanes operator*(const Lanes& a, const Lanes& b) {
        return made([&](std::size_t k) { return detail::rounded<T>(a.part_[k] * b.part_[k]); });
    }
    friend Lanes product(const Lanes& a, const Lanes& b) { return a * b; }
    friend Lanes operator/(const Lanes& a, const Lanes& b) {
        return made([&](std::size_t k) { return a.part_[k] / b.part_[k]; });
    }
    friend Lanes operator-(const Lanes& a) {
        return made([&](std::size_t k) { return -a.part_[k]; });
    }
    /// a·b + c as the scalar fused() computes it.
    friend Lanes fused(const Lanes& a, const Lanes& b, const Lanes& c) {
        return made([&](std::size_t k) { return detail::multiply_add<T>(a.part_[k], b.part_[k], c.part_[k]); });
    }
    /// The smaller (larger) of two numbers: b where one of them is NaN.
    friend Lanes minimum(const Lanes& a, const Lanes& b) {
        return made([&](std::size_t k) { return detail::lesser<T>(a.part_[k], b.part_[k]); });
    }
    friend Lanes maximum(const Lanes& a, const Lanes& b) {
        return made([&](std::size_t k) { return detail::greater<T>(a.part_[k], b.part_[k]); });
    }
    friend Lanes absolute(const Lanes& a) {
        return made([&](std::size_t k) { return detail::greater<T>(a.part_[k], -a.part_[k]); });
    }
    /// The square roots, each rounded once.
    friend Lanes square_root(const Lanes& a) {
        return made([&](std::size_t k) { return detail::square_root<T>(a.part_[k]); });
    }
    friend LaneMask<T, N> operator<(const Lanes& a, const Lanes& b) {
        return LaneMask<T, N>::made([&](std::size_t k) { return a.part_[k] < b.part_[k]; });
    }
    friend LaneMask<T, N> operator>(const Lanes& a, const Lanes& b) { return b < a; }
    friend LaneMask<T, N> operator==(const Lanes& a, const Lanes& b) {
        return LaneMask<T, N>::made([&](std::size_t k) { return a.part_[k] == b.part_[k]; });
    }
    /// Lane by lane: `yes` where the mask is set, `no` elsewhere.
    friend Lanes select(const LaneMask<T, N>& mask, const Lanes& yes, const Lanes& no) {
        return made([&](std::size_t k) { return xsimd::select(mask.part(k), yes.part_[k], no.part_[k]); });
    }
    /// The sum over the lanes along one fixed tree: lane i + lane i + N/2, and so on with the halves.
    friend T sum(const Lanes& a) {
        T lane[N];
        a.store(lane);
        for (std::size_t half = N / 2; half > 0; half /= 2) {
            for (std::size_t i = 0; i < half; ++i) lane[i] += lane[i + half];
        }
        return lane[0];
    }

    T operator[](std::size_t lane) const {
        T buffer[N];
        store(buffer);
        return buffer[lane];
    }
    const Part& part(std::size_t k) const { return part_[k]; }
    /// The lanes whose k-th register is make(k).
    template <class Make>
    static Lanes made(Make make) {
        return Lanes(make, Each{});
    }

  private:
    using Each = std::make_index_sequence<parts>;
    template <std::size_t... K>
    Lanes(T everywhere, std::index_sequence<K...>) : part_{((void)K, Part(everywhere))...} {}
    template <class Make, std::size_t... K>
    Lanes(Make& make, std::index_sequence<K...>) : part_{make(K)...} {}
    template <std::size_t... K>
    void store(T* to, std::index_sequence<K...>) const {
        (part_[K].store_unaligned(to + K * width), ...);
    }

    Part part_[parts];
};

/// One yes or no for each lane.
template <class T, std::size_t N>
class LaneMask {
  public:
    using Part = xsimd::batch_bool<T>;
    static constexpr std::size_t parts = N / detail::native_lanes<T>;

    friend LaneMask operator&(const LaneMask& a, const LaneMask& b) {
        return made([&](std::size_t k) { return a.part_[k] & b.part_[k]; });
    }
    friend LaneMask operator|(const LaneMask& a, const LaneMask& b) {
        return made([&](std::size_t k) { return a.part_[k] | b.part_[k]; });
    }
    friend bool any(const LaneMask& a) {
        bool found = false;
        for (std::size_t k = 0; k < parts; ++k) found = found || xsimd::any(a.part_[k]);
        return found;
    }
    const Part& part(std::size_t k) const { return part_[k]; }
    template <class Make>
    static LaneMask made(Make make) {
        return LaneMask(make, std::make_index_sequence<parts>{});
    }

  private:
    template <class Make, std::size_t... K>
    LaneMask(Make& make, std::index_sequence<K...>) : part_{make(K)...} {}

    Part part_[parts];
};

namespace detail {

/// Of two rows of lanes in registers of W, their lanes folded once: each lane plus the one `Half` further.
template <std::size_t W, std::size_t Half>
Raw<double, W> folded(Raw<double, W> a, Raw<double, W> b) {
    if constexpr (Half == 4) {
        return __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11) +
               __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
    } else if constexpr (Half == 2 && W == 8) {
        return __builtin_shufflevector(a, b, 0, 1, 4, 5, 8, 9, 12, 13) +
               __builtin_shufflevector(a, b, 2, 3, 6, 7, 10, 11, 14, 15);
    } else if constexpr (W == 8) {
        return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14) +
               __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
    } else if constexpr (Half == 2) {
        return __builtin_shufflevector(a, b, 0, 1, 4, 5) + __builtin_shufflevector(a, b, 2, 3, 6, 7);
    } else if constexpr (W == 4) {
        return __builtin_shufflevector(a, b, 0, 2, 4, 6) + __builtin_shufflevector(a, b, 1, 3, 5, 7);
    } else {
        return __builtin_shufflevector(a, b, 0, 2) + __builtin_shufflevector(a, b, 1, 3);
    }
}

template <std::size_t W>
Lanes<double, 8> sums_of(const Lanes<double, 8> (&rows)[8]) {
    if constexpr (W == 8) {
        const auto at = [&](std::size_t k) { return raw<double>(rows[k].part(0)); };
        const auto r01 = folded<W, 4>(at(0), at(1)), r23 = folded<W, 4>(at(2), at(3));
        const auto r45 = folded<W, 4>(at(4), at(5)), r67 = folded<W, 4>(at(6), at(7));
        const auto all = folded<W, 1>(folded<W, 2>(r01, r23), folded<W, 2>(r45, r67));
        return Lanes<double, 8>::made([&](std::size_t) { return native<double>(all); });
    } else if constexpr (W == 4) {
        const auto at = [&](std::size_t k) { return raw<double>(rows[k].part(0)) + raw<double>(rows[k].part(1)); };
        return Lanes<double, 8>::made([&](std::size_t k) {
            return native<double>(
                folded<W, 1>(folded<W, 2>(at(4 * k), at(4 * k + 1)), folded<W, 2>(at(4 * k + 2), at(4 * k + 3))));
        });
    } else {
        static_assert(W == 2);
        const auto at = [&](std::size_t k) {
            return (raw<double>(rows[k].part(0)) + raw<double>(rows[k].part(2))) +
                   (raw<double>(rows[k].part(1)) + raw<double>(rows[k].part(3)));
        };
        return Lanes<double, 8>::made(
            [&](std::size_t k) { return native<double>(folded<W, 1>(at(2 * k), at(2 * k + 1))); });
    }
}

}  // namespace detail

/// The eight sums over the lanes of rows[0] … rows[7], each along the tree of sum().
inline Lanes<double, 8> sums(const Lanes<double, 8> (&rows)[8]) {
    return detail::sums_of<Lanes<double, 8>::width>(rows);
}

}  // namespace partita::inline PARTITA_ABI
