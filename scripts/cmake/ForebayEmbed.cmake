# forebay_embed(out.cc name file…): a source file that defines, in namespace forebay::embedded,
#   const std::string_view name[] = {text of each file};
# as declared by the includer. Files are read at configure time and re-read when they change.
function(forebay_embed out name)
  set(texts "")
  foreach(file ${ARGN})
    cmake_path(ABSOLUTE_PATH file)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(READ ${file} text)
    string(APPEND texts "    R\"EMBED(${text})EMBED\",\n")
  endforeach()
  file(CONFIGURE OUTPUT ${out} @ONLY CONTENT
"#include <string_view>

namespace forebay::embedded {
extern const std::string_view ${name}[];
const std::string_view ${name}[] = {
@texts@};
}  // namespace forebay::embedded
")
endfunction()
