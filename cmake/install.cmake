# cmake --install: headers, libraries, the program, and the package that find_package(hawser) reads.
include(CMakePackageConfigHelpers)

get_property(floors GLOBAL PROPERTY HAWSER_FLOORS)
install(TARGETS ${floors} EXPORT hawser-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/hawser)
install(EXPORT hawser-targets NAMESPACE hawser:: DESTINATION ${package_dir})
configure_package_config_file(cmake/hawser-config.cmake.in ${PROJECT_BINARY_DIR}/hawser-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/hawser-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/hawser-config.cmake ${PROJECT_BINARY_DIR}/hawser-config-version.cmake
        DESTINATION ${package_dir})

if(TARGET hawser_binary)
  install(TARGETS hawser_binary RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(FILES LICENSE README.md CHANGELOG.md docs/protocol.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
