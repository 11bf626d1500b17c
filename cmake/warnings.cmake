# SPDX-License-Identifier: Apache-2.0
# Warnings for what we compile ourselves. Never part of an exported target.
add_library(partita_warnings INTERFACE)
target_compile_options(partita_warnings INTERFACE
    $<$<CXX_COMPILER_ID:GNU,Clang,AppleClang>:-Wall -Wextra -Wconversion -Wshadow>
    $<$<CXX_COMPILER_ID:Clang,AppleClang>:-Wno-sign-conversion>             # part of -Wconversion for clang, not for g++
    $<$<AND:$<CXX_COMPILER_ID:GNU,Clang,AppleClang>,$<BOOL:${PARTITA_WERROR}>>:-Werror>)
