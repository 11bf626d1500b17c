# SPDX-License-Identifier: Apache-2.0
# Warnings for what we compile ourselves. Never part of an exported target.
add_library(partita_warnings INTERFACE)
target_compile_options(partita_warnings INTERFACE
    $<$<CXX_COMPILER_ID:GNU,Clang,AppleClang>:-Wall -Wextra -Wconversion -Wshadow>
    $<$<CXX_COMPILER_ID:Clang,AppleClang>:-Wno-sign-conversion>             # part of -Wconversion for clang, not for g++
    # g++ 12 warns at -O3 of what is not there: in std::string's operator+ (its PR105329), in the AVX-512 intrinsics (PR105593),
    # and of loads in loops that are never entered.
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict -Wno-maybe-uninitialized -Wno-array-bounds>
    $<$<AND:$<CXX_COMPILER_ID:GNU,Clang,AppleClang>,$<BOOL:${PARTITA_WERROR}>>:-Werror>)
