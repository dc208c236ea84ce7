// SPDX-License-Identifier: GPL-2.0
/*
 * AEM_IOC_BIND. Two versions side by side are tested by modules.sh.
 *
 * vm: load=core,null m32
 */
#include "raw.h"

/* Out fields of a refused BIND are not the caller's concern; that nothing was bound is. */
static void refuse(const struct raw *raw, const char *name, uint32_t min, uint32_t max, int error)
{
	struct aem_service_info info;
	struct aem_bind bind;

	if (!EXPECT_ERRNO(raw_bind(raw->fd, &bind, name, min, max), error))
		NOTE("name '%s', versions %u to %u", name, min, max);
	ASSERT(raw_service_info(raw->fd, NULL_SERVICE, &info));
	EXPECT_EQ(info.users, 0);
}

static void begin(struct raw *raw)
{
	memset(raw, 0, sizeof(*raw));
	raw->setup.flags = AEM_SETUP_SAFEPOINT;
	raw_begin(raw);
}

TEST(success)
{
	struct aem_service_info info;
	struct aem_bind bind;
	struct raw raw;

	begin(&raw);
	ASSERT_OK(raw_bind(raw.fd, &bind, NULL_SERVICE, 0, 0));
	EXPECT_EQ(bind.size, sizeof(bind));
	EXPECT_EQ(bind.version, NULL_VERSION);
	EXPECT_EQ(bind.calls, NULL_CALLS);
	EXPECT_GE(bind.base, AEM_RANGE_CALLS);
	EXPECT_EQ(bind.base % AEM_RANGE_CALLS, 0);
	EXPECT_STR((char *)bind.name, NULL_SERVICE);
	ASSERT(raw_service_info(raw.fd, NULL_SERVICE, &info));
	EXPECT_EQ(info.base, bind.base);
	EXPECT_EQ(info.users, 1);
	raw_end(&raw);
}

TEST(version_ranges)
{
	static const uint32_t good[][2] = {
		{ 0, 0 }, { 1, 0 }, { 1, 1 }, { 0, 1 }, { 0, ~0U }, { 1, 5 },
	};
	struct aem_bind bind;
	struct raw raw;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		begin(&raw);
		EXPECT_OK(raw_bind(raw.fd, &bind, NULL_SERVICE, good[i][0], good[i][1]));
		EXPECT_EQ(bind.version, 1);
		raw_end(&raw);
	}
	begin(&raw);
	refuse(&raw, NULL_SERVICE, 2, 0, ENOPROTOOPT);
	refuse(&raw, NULL_SERVICE, 2, 9, ENOPROTOOPT);
	refuse(&raw, NULL_SERVICE, ~0U, ~0U, ENOPROTOOPT);
	refuse(&raw, NULL_SERVICE, 2, 1, EINVAL);
	raw_end(&raw);
}

TEST(names)
{
	struct aem_bind bind;
	struct raw raw;

	begin(&raw);
	refuse(&raw, "nothing-has-this-name", 0, 0, ENOENT);
	refuse(&raw, "nul", 0, 0, ENOENT);
	refuse(&raw, "nulll", 0, 0, ENOENT);
	refuse(&raw, "NULL", 0, 0, EINVAL);
	refuse(&raw, "", 0, 0, EINVAL);
	refuse(&raw, "a/b", 0, 0, EINVAL);
	refuse(&raw, "null ", 0, 0, EINVAL);
	refuse(&raw, "%s%n", 0, 0, EINVAL);
	refuse(&raw, "abcdefghijklmnopqrstuvwxyz-0123", 0, 0, ENOENT);
	/* 32 bytes and no NUL among them. */
	refuse(&raw, "abcdefghijklmnopqrstuvwxyz-01234", 0, 0, EINVAL);
	EXPECT_OK(raw_bind(raw.fd, &bind, NULL_SERVICE, 0, 0));
	raw_end(&raw);
}

TEST(twice)
{
	struct aem_service_info info;
	struct aem_bind one, two;
	struct raw raw;
	int i;

	begin(&raw);
	ASSERT_OK(raw_bind(raw.fd, &one, NULL_SERVICE, 0, 0));
	for (i = 0; i < 100; i++) {
		ASSERT_OK(raw_bind(raw.fd, &two, NULL_SERVICE, 1, 1));
		EXPECT_EQ(two.base, one.base);
		EXPECT_EQ(two.version, one.version);
		EXPECT_EQ(two.calls, one.calls);
	}
	/* Bound, but not in the range asked for now. */
	EXPECT_ERRNO(raw_bind(raw.fd, &two, NULL_SERVICE, 2, 3), ENOPROTOOPT);
	ASSERT(raw_service_info(raw.fd, NULL_SERVICE, &info));
	EXPECT_EQ(info.users, 1);
	raw_end(&raw);
}

TEST(users_are_counted)
{
	struct aem_service_info info;
	struct raw raw[20];
	int i, fd = raw_open();

	for (i = 0; i < 20; i++) {
		raw_start(&raw[i]);
		ASSERT(raw_service_info(fd, NULL_SERVICE, &info));
		EXPECT_EQ(info.users, i + 1);
	}
	for (i = 0; i < 20; i++) {
		raw_end(&raw[i]);
		ASSERT(raw_service_info(fd, NULL_SERVICE, &info));
		EXPECT_EQ(info.users, 19 - i);
	}
	close(fd);
}

KTAP_MAIN()
