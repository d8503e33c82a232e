// A library that answers for its version as NVIDIA's do, and does nothing else.
extern "C" int cublasGetProperty(int which, int* value) {
  constexpr int parts[] = {FAKE_MAJOR, 4, 2};
  if (which < 0 || which > 2) return 7;
  *value = parts[which];
  return 0;
}
