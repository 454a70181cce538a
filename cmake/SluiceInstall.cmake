# Included last by CMakeLists.txt: the target `program` (what a user runs), and what `cmake --install` puts where.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The program with the plug-ins it opens at first use; a plug-in that was switched off or not found is not there.
add_custom_target(program)
foreach(part IN ITEMS sluice_program sluice_arrow sluice_mpi sluice_linalg)
  if(TARGET ${part})
    add_dependencies(program ${part})
  endif()
endforeach()

# Public headers keep their place under the include path: #include "sluice/cluster/kmeans.h". SIMD bodies and references stay home.
install(DIRECTORY "${PROJECT_SOURCE_DIR}/sluice" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING PATTERN "*.h"
  PATTERN "*-inl.h" EXCLUDE PATTERN "*_ref.h" EXCLUDE PATTERN "*_test*" EXCLUDE PATTERN "testing.h" EXCLUDE PATTERN "*_plugin" EXCLUDE
  PATTERN "fuzz" EXCLUDE PATTERN "testdata" EXCLUDE PATTERN "*_sklearn.h" EXCLUDE)
set(exported sluice)
if(TARGET sluice_linalg)
  list(APPEND exported sluice_linalg)
  set_target_properties(sluice_linalg PROPERTIES EXPORT_NAME linalg)
endif()
install(TARGETS ${exported} EXPORT sluiceTargets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
# A distribution's loader may not look in LIBDIR, and plug-ins are found beside the program's ../lib: say so in the program itself.
foreach(part IN ITEMS sluice_program sluice_arrow sluice_mpi)
  if(TARGET ${part})
    set_property(TARGET ${part} APPEND PROPERTY INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  endif()
endforeach()

install(EXPORT sluiceTargets NAMESPACE sluice:: DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/sluice")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/sluiceConfig.cmake.in" "${PROJECT_BINARY_DIR}/sluiceConfig.cmake"
  INSTALL_DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/sluice")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/sluiceConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/sluiceConfig.cmake" "${PROJECT_BINARY_DIR}/sluiceConfigVersion.cmake"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/sluice")

set(SLUICE_PC_LINALG "")
if(TARGET sluice_linalg)
  set(SLUICE_PC_LINALG "-lsluice_linalg -Wl,-rpath,\${libdir}")
endif()
# The prefix is said relative to the file, so that the tree may be moved.
file(RELATIVE_PATH SLUICE_PC_UP "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
configure_file("${PROJECT_SOURCE_DIR}/cmake/sluice.pc.in" "${PROJECT_BINARY_DIR}/sluice.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/sluice.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/NOTICE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
