# Turns a FlatBuffers schema into a header at build time: flatc's headers fit one version only.

# intmill_schema(<layer> <file>.fbs): #include "<layer>/<file>_generated.h" then works in that layer.
function(intmill_schema layer schema)
  get_filename_component(stem ${schema} NAME_WE)
  set(folder ${CMAKE_BINARY_DIR}/generated/${layer})
  set(header ${folder}/${stem}_generated.h)
  add_custom_command(
    OUTPUT ${header}
    COMMAND ${INTMILL_FLATC} --cpp --cpp-std c++17 --scoped-enums -o ${folder}
            ${CMAKE_CURRENT_SOURCE_DIR}/${schema}
    DEPENDS ${schema}
    VERBATIM)
  target_sources(intmill_${layer} PRIVATE ${header})
endfunction()
