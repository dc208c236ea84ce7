// SPDX-License-Identifier: GPL-2.0
/*
 * AEM_IOC_SERVICE: the list of services, and their users and events.
 *
 * vm: load=core,null m32
 */
#include "raw.h"

static long ask(int fd, uint32_t index, struct aem_service_info *info)
{
	memset(info, RAW_POISON, sizeof(*info));
	info->size = sizeof(*info);
	info->index = index;
	return ioctl(fd, AEM_IOC_SERVICE, info);
}

/* Only "null" is loaded. */
TEST(the_list_ends)
{
	static const uint32_t behind[] = { 1, 2, 63, 64, 65, 1U << 31, ~0U };
	struct aem_service_info info;
	int fd = raw_open();
	size_t i;

	EXPECT_OK(ask(fd, 0, &info));
	EXPECT_STR((char *)info.name, NULL_SERVICE);
	for (i = 0; i < ARRAY_SIZE(behind); i++)
		EXPECT_ERRNO(ask(fd, behind[i], &info), ENOENT);
	close(fd);
}

TEST(every_field)
{
	struct aem_service_info info;
	int fd = raw_open();
	size_t i;

	ASSERT_OK(ask(fd, 0, &info));
	EXPECT_EQ(info.size, sizeof(info));
	EXPECT_EQ(info.index, 0);
	EXPECT_EQ(info.version, NULL_VERSION);
	EXPECT_GE(info.base, AEM_RANGE_CALLS);
	EXPECT_EQ(info.base % AEM_RANGE_CALLS, 0);
	EXPECT_EQ(info.calls, NULL_CALLS);
	EXPECT_EQ(info.users, 0);
	EXPECT_EQ(info.events, 0);
	EXPECT_EQ(info.flags, 0);
	/* Nothing of the kernel's memory behind the name. */
	for (i = strlen(NULL_SERVICE); i < AEM_NAME_MAX; i++)
		EXPECT_EQ(info.name[i], 0);
	close(fd);
}

TEST(users_and_events)
{
	struct aem_service_info info;
	struct raw one, two;
	uint64_t id[10];
	int i;

	raw_start(&one);
	raw_start(&two);
	for (i = 0; i < 10; i++)
		id[i] = null_new(i & 1 ? &one : &two, NULL_CREATE, raw_nothing, 1, 0, 1);
	ASSERT_OK(ask(one.fd, 0, &info));
	EXPECT_EQ(info.users, 2);
	EXPECT_EQ(info.events, 10);
	EXPECT_OK(raw_event(&one, AEM_EVENT_SHUTDOWN, id[1], 0));
	ASSERT_OK(ask(one.fd, 0, &info));
	EXPECT_EQ(info.events, 9);
	/* What ends with its context is told of no more. */
	raw_end(&two);
	ASSERT_OK(ask(one.fd, 0, &info));
	EXPECT_EQ(info.users, 1);
	EXPECT_EQ(info.events, 4);
	raw_end(&one);
}

KTAP_MAIN()
