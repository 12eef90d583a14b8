# One static library a floor, made of every source file in its folder.

set(HAWSER_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual)

# hawser_floor(NAME DEPS ...): the library folder hawser/NAME as target hawser_NAME, exported as hawser::NAME.
function(hawser_floor name)
  cmake_parse_arguments(floor "" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS hawser/${name}/*.cpp)
  add_library(hawser_${name} STATIC ${sources})
  add_library(hawser::${name} ALIAS hawser_${name})
  set_target_properties(hawser_${name} PROPERTIES EXPORT_NAME ${name} LINKER_LANGUAGE CXX)
  target_compile_features(hawser_${name} PUBLIC cxx_std_23)
  target_compile_options(hawser_${name} PRIVATE ${HAWSER_WARNINGS})
  target_include_directories(hawser_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:include>)
  target_link_libraries(hawser_${name} PUBLIC ${floor_DEPS})
  set_property(GLOBAL APPEND PROPERTY HAWSER_FLOORS hawser_${name})
endfunction()

# hawser_program_floor(TARGET FOLDER DEPS ...): a folder of the hub or the command line (main.cpp stays out).
function(hawser_program_floor target folder)
  cmake_parse_arguments(floor "" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(sources)
    add_library(${target} STATIC ${sources})
    target_compile_options(${target} PRIVATE ${HAWSER_WARNINGS})
    target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR})
    target_link_libraries(${target} PUBLIC ${floor_DEPS})
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE ${floor_DEPS})
  endif()
endfunction()
