# SPDX-License-Identifier: Apache-2.0
# Installs the headers, the CMake package (one export per component, so that each finds only what it needs), the pkg-config files
# and the launcher.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(partita_package_dir ${CMAKE_INSTALL_DATADIR}/cmake/partita)      # share/: nothing here depends on the architecture

install(TARGETS partita partita_native EXPORT partitaTargets FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT partitaTargets NAMESPACE partita:: DESTINATION ${partita_package_dir})
set(partita_pc_files partita)
foreach(component IN ITEMS gzip mpi)
    if(TARGET partita_${component})
        install(TARGETS partita_${component} EXPORT partita-${component}Targets
                FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
        install(EXPORT partita-${component}Targets NAMESPACE partita:: DESTINATION ${partita_package_dir})
        list(APPEND partita_pc_files partita-${component})
    endif()
endforeach()

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/partitaConfig.cmake.in
    ${PROJECT_BINARY_DIR}/cmake/partitaConfig.cmake INSTALL_DESTINATION ${partita_package_dir})
# Before 1.0 a minor version may break sources, so 0.1 is not satisfied by 0.2.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cmake/partitaConfigVersion.cmake
    COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/cmake/partitaConfig.cmake ${PROJECT_BINARY_DIR}/cmake/partitaConfigVersion.cmake
              ${CMAKE_CURRENT_LIST_DIR}/partita_xsimd.cmake DESTINATION ${partita_package_dir})

if(TARGET partita_mpi)
    list(TRANSFORM MPI_CXX_INCLUDE_DIRS PREPEND "-I" OUTPUT_VARIABLE partita_mpi_includes)
    list(JOIN partita_mpi_includes " " partita_mpi_includes)
    list(JOIN MPI_CXX_LIBRARIES " " partita_mpi_libraries)
endif()
# The prefix is found from where the .pc file lies, so the installed tree can be moved.
file(RELATIVE_PATH partita_pc_prefix
     ${CMAKE_INSTALL_FULL_DATADIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
foreach(name IN LISTS partita_pc_files)
    configure_file(${CMAKE_CURRENT_LIST_DIR}/${name}.pc.in ${PROJECT_BINARY_DIR}/cmake/${name}.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/cmake/${name}.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
endforeach()
install(PROGRAMS ${PROJECT_SOURCE_DIR}/scripts/partita-launch DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/partita)
