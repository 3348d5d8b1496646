/* SPDX-License-Identifier: GPL-2.0-or-later */
/* size: truncate, ftruncate, fallocate, and the holes that lseek finds. */
#include "steps.h"

static const struct posix_case posix_truncate_cases[] = {
	STEPS("down", "open %a f w,creat 0644; write %a abcdef; truncate f 3; is f size=3; content f abc"),
	STEPS("up", "open %a f w,creat 0644; write %a abc; truncate f 100000; is f size=100000; "
	      "bytes f 0 3 99997; is f blocks<64"),
	STEPS("down-and-up", "open %a f w,creat 0644; fill %a 7 0 10000; truncate f 100; truncate f 10000; "
	      "bytes f 7 0 100; bytes f 0 100 9900"),
	STEPS("down-and-up-page", "open %a f w,creat 0644; fill %a 7 0 16k; truncate f 4096; truncate f 16k; "
	      "bytes f 7 0 4096; bytes f 0 4096 12k"),
	STEPS("down-and-write-beyond", "open %a f w,creat 0644; fill %a 7 0 10000; truncate f 100; "
	      "pwrite %a x 9000; bytes f 7 0 100; bytes f 0 100 8900"),
	STEPS("to-nothing", "open %a f w,creat 0644; fill %a 7 0 1m; fsync %a; truncate f 0; "
	      "is f size=0 blocks<2"),
	STEPS("large", "create f 0644; truncate f 0x10000000000; is f size=0x10000000000 blocks<64; "
	      "open %a f rw; =1 pwrite %a x 0xfffffffff0; =1 pread %a 1 0xfffffffff0 x"),
	STEPS("descriptor", "open %a f rw,creat 0644; write %a abcdef; truncate %a 3; content f abc; "
	      "=0 read %a 9 -; =6 lseek %a 0 cur"),
	STEPS("descriptor-others-see", "open %a f rw,creat 0644; open %b f rw; write %a abcdef; truncate %b 2; "
	      "=2 pread %a 9 0 ab; is %a size=2"),
	STEPS("EINVAL-negative", "create f 0644; EINVAL truncate f -1; open %a f w; EINVAL truncate %a -1"),
	STEPS("EINVAL-readonly", "create f 0644; open %a f r; EINVAL truncate %a 0"),
	STEPS("EBADF", "EBADF truncate %a 0"),
	STEPS("EISDIR", "mkdir d 0777; EISDIR truncate d 0"),
	STEPS("EINVAL-directory", "mkdir d 0777; open %a d r; EINVAL truncate %a 0"),
	STEPS("EINVAL-fifo", "mknod f fifo 0644; EINVAL truncate f 0"),
	STEPS("EACCES-other", "create f 0644; other: EACCES truncate f 0"),
	STEPS("EACCES-member", "create f 0606; chown f owner owner; member: EACCES truncate f 0"),
	STEPS("EACCES-owner", "owner: create f 0466; EACCES truncate f 0"),
	STEPS("descriptor-after-chmod", "owner: open %a f w,creat 0644; chmod f 0; truncate %a 10; "
	      "is f size=10"),
	STEPS("EFBIG", "create f 0644; limit fsize 4096; EFBIG truncate f 4097; truncate f 4096; "
	      "is f size=4096"),
	STEPS("EFBIG-descriptor", "open %a f w,creat 0644; limit fsize 4096; EFBIG truncate %a 4097; "
	      "is f size=0"),
	STEPS("times", "open %a f w,creat 0644; write %a abc; note f .; truncate f 1; since f mc; since . -"),
	STEPS("times-up", "create f 0644; note f; truncate f 10; since f mc"),
	STEPS("times-descriptor", "open %a f w,creat 0644; note f; truncate %a 10; since f mc"),
	STEPS("times-descriptor-same", "open %a f w,creat 0644; write %a abc; note f; truncate %a 3; "
	      "since f mc"),
	STEPS("times-failed", "create f 0644; note f; other: EACCES truncate f 0; since f -"),
	STEPS("links", "create f 0644; link f g; truncate f 10; is g size=10"),
};

static const struct posix_case posix_fallocate_cases[] = {
	STEPS("extends", "open %a f rw,creat 0644; fallocate %a 0 0 64k; is f size=65536 blocks>127; "
	      "bytes f 0 0 64k"),
	STEPS("extends-offset", "open %a f rw,creat 0644; write %a abc; fallocate %a 0 8192 4096; "
	      "is f size=12288; bytes f 0 3 12285; pread %a 3 0 abc"),
	STEPS("keeps-bytes", "open %a f rw,creat 0644; fill %a 7 0 10000; fallocate %a 0 0 64k; "
	      "bytes f 7 0 10000; bytes f 0 10000 55536"),
	STEPS("inside-keeps-size", "open %a f rw,creat 0644; fill %a 7 0 10000; fallocate %a 0 0 4096; "
	      "is f size=10000; bytes f 7 0 10000"),
	STEPS("keep-size", "open %a f rw,creat 0644; write %a abc; fallocate %a keep 0 64k; "
	      "is f size=3 blocks>127; content f abc"),
	STEPS("keep-size-then-extend", "open %a f rw,creat 0644; fallocate %a keep 0 64k; truncate f 64k; "
	      "bytes f 0 0 64k"),
	STEPS("holes-filled", "open %a f rw,creat 0644; truncate f 64k; fallocate %a 0 0 64k; "
	      "is f size=65536 blocks>127; bytes f 0 0 64k"),
	STEPS("punch", "open %a f rw,creat 0644; fill %a 7 0 64k; fallocate %a punch,keep 8192 16k; "
	      "is f size=65536; bytes f 7 0 8192; bytes f 0 8192 16k; bytes f 7 24k 40k"),
	STEPS("punch-frees", "open %a f rw,creat 0644; fill %a 7 0 1m; fsync %a; fallocate %a punch,keep 0 1m; "
	      "is f size=1048576 blocks<64; bytes f 0 0 1m"),
	STEPS("punch-odd", "open %a f rw,creat 0644; fill %a 7 0 20000; fallocate %a punch,keep 5000 9000; "
	      "bytes f 7 0 5000; bytes f 0 5000 9000; bytes f 7 14000 6000"),
	STEPS("punch-small", "open %a f rw,creat 0644; fill %a 7 0 4096; fallocate %a punch,keep 10 20; "
	      "bytes f 7 0 10; bytes f 0 10 20; bytes f 7 30 4066"),
	STEPS("punch-end", "open %a f rw,creat 0644; fill %a 7 0 10000; fallocate %a punch,keep 5000 64k; "
	      "is f size=10000; bytes f 7 0 5000; bytes f 0 5000 5000"),
	STEPS("punch-beyond", "open %a f rw,creat 0644; fill %a 7 0 10000; fallocate %a punch,keep 64k 64k; "
	      "is f size=10000; bytes f 7 0 10000"),
	STEPS("punch-then-write", "open %a f rw,creat 0644; fill %a 7 0 64k; fallocate %a punch,keep 0 64k; "
	      "pwrite %a x 30000; bytes f 0 0 30000; pread %a 1 30000 x"),
	STEPS("punch-unsynced", "open %a f rw,creat 0644; fill %a 7 0 64k; open %b f rw; "
	      "fallocate %b punch,keep 4096 4096; bytes %a 0 4096 4096; bytes %b 7 8192 4096"),
	STEPS("punch-alone", "open %a f rw,creat 0644; fill %a 7 0 4096; EOPNOTSUPP fallocate %a punch 0 4096; "
	      "bytes f 7 0 4096"),
	STEPS("zero", "open %a f rw,creat 0644; fill %a 7 0 64k; fallocate %a zero 8192 16k; is f size=65536; "
	      "bytes f 7 0 8192; bytes f 0 8192 16k; bytes f 7 24k 40k"),
	STEPS("zero-odd", "open %a f rw,creat 0644; fill %a 7 0 20000; fallocate %a zero 5000 9000; "
	      "bytes f 7 0 5000; bytes f 0 5000 9000; bytes f 7 14000 6000"),
	STEPS("zero-extends", "open %a f rw,creat 0644; fill %a 7 0 10000; fallocate %a zero 8192 16k; "
	      "is f size=24576; bytes f 7 0 8192; bytes f 0 8192 16k"),
	STEPS("zero-keep-size", "open %a f rw,creat 0644; fill %a 7 0 10000; fallocate %a zero,keep 8192 16k; "
	      "is f size=10000; bytes f 0 8192 1808"),
	STEPS("EBADF-readonly", "create f 0644; open %a f r; EBADF fallocate %a 0 0 4096"),
	STEPS("EBADF", "EBADF fallocate %a 0 0 4096"),
	STEPS("EINVAL", "open %a f w,creat 0644; EINVAL fallocate %a 0 0 0; EINVAL fallocate %a 0 -1 10; "
	      "EINVAL fallocate %a 0 0 -1"),
	STEPS("EOPNOTSUPP-flag", "open %a f w,creat 0644; EOPNOTSUPP|EINVAL fallocate %a 0x1000 0 4096; "
	      "is f size=0"),
	STEPS("ESPIPE", "mknod f fifo 0644; open %a f rw; ESPIPE fallocate %a 0 0 4096"),
	STEPS("EFBIG", "open %a f w,creat 0644; limit fsize 4096; EFBIG fallocate %a 0 0 8192; is f size=0; "
	      "fallocate %a 0 0 4096"),
	STEPS("EFBIG-overflow", "open %a f w,creat 0644; EFBIG fallocate %a 0 0x7fffffffffffffff 4096"),
	STEPS("times-extends", "open %a f w,creat 0644; note f; fallocate %a 0 0 4096; since f mc"),
	STEPS("times-punch", "open %a f w,creat 0644; fill %a 7 0 64k; fsync %a; note f; "
	      "fallocate %a punch,keep 0 4096; since f mc"),
	STEPS("append", "open %a f w,creat,append 0644; fallocate %a 0 0 4096; write %a x; is f size=4097"),
};

static const struct posix_case posix_lseek_cases[] = {
	STEPS("set-cur-end", "open %a f rw,creat 0644; write %a abcdef; =2 lseek %a 2 set; =3 lseek %a 1 cur; "
	      "=4 lseek %a -2 end; =2 read %a 9 ef; =6 lseek %a 0 cur"),
	STEPS("beyond-end", "open %a f rw,creat 0644; =100 lseek %a 100 set; =0 read %a 9 -; is f size=0; "
	      "write %a x; is f size=101; bytes f 0 0 100"),
	STEPS("end-after-others-write", "open %a f rw,creat 0644; open %b f rw; write %b abcdef; "
	      "=6 lseek %a 0 end; truncate f 2; =2 lseek %a 0 end"),
	STEPS("EINVAL", "open %a f rw,creat 0644; EINVAL lseek %a -1 set; EINVAL lseek %a -1 cur; "
	      "EINVAL lseek %a -1 end; EINVAL lseek %a 0 77; =0 lseek %a 0 cur"),
	STEPS("EBADF", "EBADF lseek %a 0 set"),
	STEPS("ESPIPE", "mknod f fifo 0644; open %a f rw,nonblock; ESPIPE lseek %a 0 set"),
	STEPS("data", "open %a f rw,creat 0644; fill %a 7 0 64k; =0 lseek %a 0 data; =1000 lseek %a 1000 data; "
	      "=65536 lseek %a 0 hole; =65536 lseek %a 1000 hole"),
	STEPS("data-synced", "open %a f rw,creat 0644; fill %a 7 0 64k; fsync %a; =0 lseek %a 0 data; "
	      "=65536 lseek %a 0 hole"),
	STEPS("hole-at-end", "open %a f rw,creat 0644; fill %a 7 0 64k; truncate f 1m; =0 lseek %a 0 data; "
	      "=65536|1048576 lseek %a 0 hole"),
	STEPS("hole-before", "open %a f rw,creat 0644; fill %a 7 1m 64k; =1048576|0 lseek %a 0 data; "
	      "=0|1114112 lseek %a 0 hole; =1114112 lseek %a 1m hole"),
	STEPS("hole-never-hides-data", "open %a f rw,creat 0644; fill %a 7 1m 64k; fsync %a; "
	      "=1048576 lseek %a 1m data; =1050000 lseek %a 1050000 data"),
	STEPS("hole-punched", "open %a f rw,creat 0644; fill %a 7 0 1m; fallocate %a punch,keep 0 64k; "
	      "=65536|0 lseek %a 0 data; =0|1048576 lseek %a 0 hole"),
	STEPS("ENXIO", "open %a f rw,creat 0644; ENXIO lseek %a 0 data; ENXIO lseek %a 0 hole; write %a abc; "
	      "ENXIO lseek %a 3 data; ENXIO lseek %a 3 hole"),
	STEPS("moves", "open %a f rw,creat 0644; fill %a 7 0 4096; lseek %a 100 set; =4096 lseek %a 0 hole; "
	      "=4096 lseek %a 0 cur"),
};

const struct posix_group posix_size_groups[] = {
	POSIX_GROUP(truncate),
	POSIX_GROUP(fallocate),
	POSIX_GROUP(lseek),
	{ NULL, NULL, 0 },
};
