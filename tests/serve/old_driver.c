// Stands in for libcuda.so.1 of a driver from 2021: all that CUDA's runtime asks before it gives up.
int cuDriverGetVersion(int* version) {
  *version = 11040;
  return 0;
}
