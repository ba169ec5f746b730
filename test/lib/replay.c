/*
 * replay: runs a fuzz target over given files, without a fuzzer.
 *
 *	replay test/fuzz/corpus/version/...
 *
 * A target and this main() make a program with any compiler and any flavour;
 * `make check` so sees that nothing in the corpora ever breaks again.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The whole file in a block of just its size, so that ASan sees overreads. */
static int
replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	long size = -1;

	if (file && fseek(file, 0, SEEK_END) == 0)
		size = ftell(file);
	if (size >= 0)
		data = malloc((size_t)size + (size == 0));
	if (!data || fseek(file, 0, SEEK_SET) == -1 ||
	    fread(data, 1, (size_t)size, file) != (size_t)size) {
		perror(path);
		return 1;
	}
	fclose(file);
	fprintf(stderr, "%s\n", path);
	(void)LLVMFuzzerTestOneInput(data, (size_t)size);
	free(data);
	return 0;
}

int
main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= replay(argv[i]);
	return failed;
}
