# One static library a floor, made of every source file in its folder. Each header is also compiled alone, by the
# target all_verify_interface_header_sets.

set(HAWSER_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast
                    -Woverloaded-virtual $<$<BOOL:${HAWSER_WERROR}>:-Werror>)

# hawser_sources(TARGET FOLDER): every .cpp file but main.cpp, and every header, of one folder.
function(hawser_sources target folder)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp ${folder}/detail/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  file(GLOB headers CONFIGURE_DEPENDS ${folder}/*.h ${folder}/detail/*.h)
  target_sources(${target} PRIVATE ${sources} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${headers})
  set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  target_compile_features(${target} PUBLIC cxx_std_23)
  target_compile_options(${target} PRIVATE ${HAWSER_WARNINGS})
endfunction()

# hawser_floor(NAME DEPS ...): the library folder hawser/NAME as target hawser_NAME, exported as hawser::NAME.
function(hawser_floor name)
  cmake_parse_arguments(floor "" "" "DEPS" ${ARGN})
  add_library(hawser_${name} STATIC)
  add_library(hawser::${name} ALIAS hawser_${name})
  hawser_sources(hawser_${name} hawser/${name})
  set_target_properties(hawser_${name} PROPERTIES EXPORT_NAME ${name})
  target_link_libraries(hawser_${name} PUBLIC ${floor_DEPS})
  set_property(GLOBAL APPEND PROPERTY HAWSER_FLOORS hawser_${name})
endfunction()

# hawser_whole_library(DEPS ...): all floors and <hawser/hawser.h>, as target hawser, exported as hawser::hawser.
function(hawser_whole_library)
  cmake_parse_arguments(whole "" "" "DEPS" ${ARGN})
  add_library(hawser INTERFACE)
  add_library(hawser::hawser ALIAS hawser)
  target_sources(hawser INTERFACE FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES hawser/hawser.h)
  set_target_properties(hawser PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  target_link_libraries(hawser INTERFACE ${whole_DEPS})
  set_property(GLOBAL APPEND PROPERTY HAWSER_FLOORS hawser)
endfunction()

# hawser_program_floor(TARGET FOLDER DEPS ...): a folder of the hub or the command line.
function(hawser_program_floor target folder)
  cmake_parse_arguments(floor "" "" "DEPS" ${ARGN})
  add_library(${target} STATIC)
  hawser_sources(${target} ${folder})
  target_link_libraries(${target} PUBLIC ${floor_DEPS})
endfunction()
