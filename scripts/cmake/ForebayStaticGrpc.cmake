# Links gRPC, Protobuf, Abseil, c-ares, RE2 and yaml-cpp from their archives instead of some fifty shared libraries: a
# program that loads fifty libraries spends most of a short command's time on that, and every process its own dirty pages.
#
# Include after the find_package calls. The packages describe the shared libraries, so their targets are pointed to the
# archives beside these, and what an archive needs in turn is added as one group. Without archives nothing changes.

pkg_check_modules(FOREBAY_GRPC_ARCHIVES QUIET grpc++ protobuf)

set(archives "")
foreach(library ${FOREBAY_GRPC_ARCHIVES_STATIC_LIBRARIES})
  find_library(FOREBAY_ARCHIVE_${library} NAMES lib${library}.a)
  mark_as_advanced(FOREBAY_ARCHIVE_${library})
  if(FOREBAY_ARCHIVE_${library} AND library MATCHES "^(absl_|grpc|gpr|upb|address_sorting|re2|cares|protobuf)")
    list(APPEND archives ${FOREBAY_ARCHIVE_${library}})
  endif()
endforeach()
list(REMOVE_DUPLICATES archives)

# Points an imported target to the archive beside its shared library.
function(forebay_use_archive target)
  get_target_property(type ${target} TYPE)
  if(NOT type STREQUAL SHARED_LIBRARY AND NOT type STREQUAL UNKNOWN_LIBRARY)
    return()
  endif()
  foreach(property IMPORTED_LOCATION IMPORTED_LOCATION_NONE IMPORTED_LOCATION_RELEASE IMPORTED_LOCATION_DEBUG)
    get_target_property(location ${target} ${property})
    if(NOT location)
      continue()
    endif()
    string(REGEX REPLACE "\\.so[.0-9]*$" ".a" archive "${location}")
    if(EXISTS ${archive})
      set_target_properties(${target} PROPERTIES ${property} ${archive})
    endif()
  endforeach()
endfunction()

if(archives)
  get_property(imported DIRECTORY ${CMAKE_SOURCE_DIR} PROPERTY IMPORTED_TARGETS)
  foreach(target ${imported})
    if(target MATCHES "^(absl::|gRPC::grpc|gRPC::gpr|gRPC::upb|gRPC::address_sorting|protobuf::libprotobuf$|c-ares::cares$|yaml-cpp$)")
      forebay_use_archive(${target})
    endif()
  endforeach()
  if(FOREBAY_ARCHIVE_re2)
    # gRPC's package and this project name it by a word for the linker, which would take the shared library.
    add_library(re2 INTERFACE IMPORTED)
    target_link_libraries(re2 INTERFACE ${FOREBAY_ARCHIVE_re2} Threads::Threads)
    set_property(TARGET re2::re2 PROPERTY INTERFACE_LINK_LIBRARIES re2)
  endif()
  find_package(ZLIB REQUIRED)
  add_library(forebay_grpc_archives INTERFACE)
  target_link_libraries(forebay_grpc_archives INTERFACE
    -Wl,--start-group ${archives} -Wl,--end-group OpenSSL::SSL OpenSSL::Crypto ZLIB::ZLIB ${CMAKE_DL_LIBS})
  target_link_options(forebay_grpc_archives INTERFACE -Wl,--gc-sections)
  set_property(TARGET gRPC::grpc++ APPEND PROPERTY INTERFACE_LINK_LIBRARIES forebay_grpc_archives)
  set_property(TARGET gRPC::grpc++_reflection APPEND PROPERTY INTERFACE_LINK_LIBRARIES forebay_grpc_archives)
endif()
