// A program around the kernels, for the sanitizers: reads arrays and launches from a file, runs them, writes the arrays
// back.
//
// argv: the file, the file of results. All numbers are 64 bits wide; see sanitized.py, which writes the file.

#pragma once

namespace cuda_on_cpu {

struct Entry {
  const char* name;
  const char* (*run)(void**, unsigned int*, long long, int, void*);
};

struct Reader {
  FILE* file;
  void bytes(void* to, long long count) {
    if ((long long)fread(to, 1, count, file) != count) {
      fputs("the file ends too early\n", stderr);
      exit(2);
    }
  }
  long long number() {
    long long x;
    bytes(&x, sizeof(x));
    return x;
  }
};

struct Array {
  unsigned char *memory, *first;
  long long size;
};

const int MOST_ARGUMENTS = 64;

// One launch. An argument is a number's bytes (kind 0) or an array's index (1; -1 is the null pointer).
inline void launch_one(Reader& reader, const Entry* entries, const Array* arrays) {
  char name[256] = {};
  reader.bytes(name, reader.number());
  unsigned int sizes[4];
  for (unsigned int& size : sizes) size = reader.number();
  long long shared_bytes = reader.number(), count = reader.number();
  alignas(8) unsigned char values[MOST_ARGUMENTS][8];
  void* arguments[MOST_ARGUMENTS];
  for (int i = 0; i < count; i++) {
    long long kind = reader.number(), value = reader.number();
    void* pointer = kind && value >= 0 ? arrays[value].first : nullptr;
    memcpy(values[i], kind ? (void*)&pointer : (void*)&value, 8);
    arguments[i] = values[i];
  }
  fprintf(stderr, "%s\n", name);
  while (strcmp(entries->name, name)) entries++;
  entries->run(arguments, sizes, shared_bytes, 0, nullptr);
}

inline int program(int argc, char** argv, const Entry* entries) {
  if (argc != 3) return 2;
  Reader reader = {fopen(argv[1], "rb")};
  long long count = reader.number();
  Array* arrays = new Array[count];
  for (int i = 0; i < count; i++) {
    arrays[i].size = reader.number();
    long long shift = reader.number();  // as far from a multiple of 16 as the array was that it copies
    arrays[i].memory = (unsigned char*)malloc(shift + arrays[i].size);
    arrays[i].first = arrays[i].memory + shift;
    reader.bytes(arrays[i].first, arrays[i].size);
  }
  for (long long launches = reader.number(); launches; launches--) launch_one(reader, entries, arrays);
  FILE* out = fopen(argv[2], "wb");
  for (int i = 0; i < count; i++) {
    fwrite(arrays[i].first, 1, arrays[i].size, out);
    free(arrays[i].memory);
  }
  fclose(out);
  fclose(reader.file);
  delete[] arrays;
  return 0;
}

}  // namespace cuda_on_cpu
