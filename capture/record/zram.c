// SPDX-License-Identifier: GPL-2.0-only
/* zram devices: found, or made for a run. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

#include "capture/record/record.h"

void rec_zram_find(char name[16])
{
	DIR *d = opendir("/sys/block");
	struct dirent *e;
	unsigned nr = 0;
	char *size;

	while (d && (e = readdir(d))) {
		if (strncmp(e->d_name, "zram", 4) || strlen(e->d_name) > 15)
			continue;
		size = rec_read("/sys/block/%s/disksize", e->d_name);
		if (size && strcmp(size, "0") && !nr++)
			snprintf(name, 16, "%.15s", e->d_name);
		free(size);
	}
	if (d)
		closedir(d);
	if (nr != 1)
		*name = '\0';
}

int rec_zram_new(struct rec_session *s, uint64_t bytes, const char *algorithm,
		 struct zsr_err *err)
{
	char *nr = rec_read("/sys/class/zram-control/hot_add");
	char name[16], text[24];
	int ret;

	if (!nr)
		return zsr_err_sys(
			err, ENODEV,
			"no zram device can be added (modprobe zram?)");
	snprintf(name, sizeof(name), "zram%.8s", nr);
	free(nr);
	rec_session_zram(s, name);
	if (algorithm) {
		ret = rec_write(algorithm, "/sys/block/%s/comp_algorithm", name);
		if (ret)
			return zsr_err_sys(err, -ret, "%s: compressor %s", name,
					   algorithm);
	}
	snprintf(text, sizeof(text), "%" PRIu64, bytes);
	ret = rec_write(text, "/sys/block/%s/disksize", name);
	return ret ? zsr_err_sys(err, -ret, "%s: size %s", name, text) : 0;
}

/* What mkswap writes: a header in the first page. */
static int make_swap(int fd, size_t page, uint64_t bytes)
{
	uint32_t head[3] = { 1, (uint32_t)(bytes / page - 1), 0 };
	char *p = NULL;
	int ret = 0;

	if (posix_memalign((void **)&p, page, page))
		return -ENOMEM;
	memset(p, 0, page);
	memcpy(p + 1024, head, sizeof(head));
	memcpy(p + page - 10, "SWAPSPACE2", 10);
	if (pwrite(fd, p, page, 0) != (ssize_t)page || fsync(fd))
		ret = -errno;
	free(p);
	return ret;
}

int rec_zram_swapon(const char *name, struct zsr_err *err)
{
	char *size = rec_read("/sys/block/%s/disksize", name);
	uint64_t bytes = size ? strtoull(size, NULL, 10) : 0;
	char path[32];
	int fd, ret;

	free(size);
	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return zsr_err_sys(err, errno, "%s", path);
	ret = make_swap(fd, (size_t)sysconf(_SC_PAGESIZE), bytes);
	close(fd);
	if (!ret && swapon(path, SWAP_FLAG_PREFER | SWAP_FLAG_PRIO_MASK))
		ret = -errno;
	return ret ? zsr_err_sys(err, -ret, "swap on %s", path) : 0;
}

int rec_zram_remove(const char *name)
{
	char path[32];
	int ret, i;

	snprintf(path, sizeof(path), "/dev/%s", name);
	swapoff(path);
	/* Somebody may look at a new block device for a moment. */
	for (i = 0; i < 50; i++) {
		ret = rec_write("1", "/sys/block/%s/reset", name);
		if (!ret)
			ret = rec_write(name + 4,
					"/sys/class/zram-control/hot_remove");
		if (ret != -EBUSY)
			break;
		usleep(20000);
	}
	return ret;
}
