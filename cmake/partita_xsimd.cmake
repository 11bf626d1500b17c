# SPDX-License-Identifier: Apache-2.0
# partita::xsimd is the target xsimd, less one thing: Debian's package puts its optional companion xtl among the link
# libraries, does not depend on it, and does not need it for what we use. Read by the build and by the installed package.
if(NOT TARGET partita::xsimd)
    add_library(partita::xsimd INTERFACE IMPORTED GLOBAL)
    foreach(property IN ITEMS INTERFACE_INCLUDE_DIRECTORIES INTERFACE_COMPILE_DEFINITIONS INTERFACE_LINK_LIBRARIES)
        get_target_property(partita_xsimd_value xsimd ${property})
        if(partita_xsimd_value)
            if(property STREQUAL "INTERFACE_LINK_LIBRARIES" AND NOT TARGET xtl)
                list(REMOVE_ITEM partita_xsimd_value xtl)
            endif()
            set_property(TARGET partita::xsimd PROPERTY ${property} ${partita_xsimd_value})
        endif()
    endforeach()
    unset(partita_xsimd_value)
endif()
