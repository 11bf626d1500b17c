// SPDX-License-Identifier: Apache-2.0
#pragma once

// The version, the ABI tag, and what this library refuses to be compiled with.

#define PARTITA_VERSION_MAJOR 0
#define PARTITA_VERSION_MINOR 1
#define PARTITA_VERSION_PATCH 0
#define PARTITA_VERSION_STRING "0.1.0"

#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error \
    "partita: the same bits everywhere cannot be promised under -ffast-math, -fassociative-math or -ffinite-math-only; compile this file without them"
#endif
#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0
#error "partita: excess precision (x87) changes results; compile with SSE2 arithmetic (-mfpmath=sse)"
#endif

// Code compiled for another instruction set, or with another alignment of Eigen's, must not be mixed into one program:
// layouts and inlined kernels would differ. The tag names what matters and lives in every symbol, so mixing is harmless
// where the two do not meet and a link error where they do.
#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__)
#define PARTITA_DETAIL_ISA v0_avx512
#define PARTITA_INSTRUCTION_SET "avx512"
#elif defined(__AVX2__) && defined(__FMA__)
#define PARTITA_DETAIL_ISA v0_avx2fma
#define PARTITA_INSTRUCTION_SET "avx2+fma"
#elif defined(__AVX__)
#define PARTITA_DETAIL_ISA v0_avx
#define PARTITA_INSTRUCTION_SET "avx"
#elif defined(__SSE2__)
#define PARTITA_DETAIL_ISA v0_sse2
#define PARTITA_INSTRUCTION_SET "sse2"
#else
#define PARTITA_DETAIL_ISA v0_generic
#define PARTITA_INSTRUCTION_SET "generic"
#endif

// Eigen defines EIGEN_MAX_ALIGN_BYTES itself once it is included, so only a value other than its own choice counts: the tag
// must not depend on whether Eigen came before this header.
#if defined(__AVX512F__)
#define PARTITA_DETAIL_EIGEN_ALIGNMENT 64
#elif defined(__AVX__)
#define PARTITA_DETAIL_EIGEN_ALIGNMENT 32
#else
#define PARTITA_DETAIL_EIGEN_ALIGNMENT 16
#endif
#define PARTITA_DETAIL_JOIN2(a, b) a##_e##b
#define PARTITA_DETAIL_JOIN(a, b) PARTITA_DETAIL_JOIN2(a, b)
#if defined(EIGEN_DONT_ALIGN)
#define PARTITA_ABI PARTITA_DETAIL_JOIN(PARTITA_DETAIL_ISA, 0)
#elif defined(EIGEN_DONT_VECTORIZE)
#define PARTITA_ABI PARTITA_DETAIL_JOIN(PARTITA_DETAIL_ISA, scalar)
#elif defined(EIGEN_MAX_ALIGN_BYTES) && EIGEN_MAX_ALIGN_BYTES != PARTITA_DETAIL_EIGEN_ALIGNMENT
#define PARTITA_ABI PARTITA_DETAIL_JOIN(PARTITA_DETAIL_ISA, EIGEN_MAX_ALIGN_BYTES)
#else
#define PARTITA_ABI PARTITA_DETAIL_ISA
#endif

#if defined(__clang__)
#define PARTITA_COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define PARTITA_COMPILER "gcc " __VERSION__
#else
#define PARTITA_COMPILER "unknown"
#endif

namespace partita::inline PARTITA_ABI {

/// The library's version, as "major.minor.patch".
inline constexpr const char* version = PARTITA_VERSION_STRING;

}  // namespace partita::inline PARTITA_ABI
