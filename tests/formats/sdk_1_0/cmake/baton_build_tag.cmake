# Writes OUTPUT, a header that defines BATON_BUILD: a tag over NAME, VERSION and the contents of FILES.
set(sum "${NAME} ${VERSION}")
foreach(file IN LISTS FILES)
  file(SHA256 ${file} one)
  string(APPEND sum " ${one}")
endforeach()
string(SHA256 sum "${sum}")
string(SUBSTRING ${sum} 0 16 tag)
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#define BATON_BUILD b_${tag}\n")
