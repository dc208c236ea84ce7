/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AEM_COMPAT_SOCKET_H
#define _AEM_COMPAT_SOCKET_H

#include <linux/net.h>
#include <linux/socket.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/version.h>
#include <net/sock.h>

/* The accept operation takes a struct since 6.10. */
static inline int aem_sock_accept(struct socket *listener, struct socket *socket, int flags)
{
	const struct proto_ops *ops = READ_ONCE(listener->ops);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	struct proto_accept_arg arg = { .flags = flags };

	return ops->accept(listener, socket, &arg);
#else
	return ops->accept(listener, socket, flags, false);
#endif
}

/* The address has a type of its own since 6.19. */
static inline int aem_sock_connect(struct socket *socket, struct sockaddr_storage *address,
				   int length, int flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	return kernel_connect(socket, (struct sockaddr_unsized *)address, length, flags);
#else
	return kernel_connect(socket, (struct sockaddr *)address, length, flags);
#endif
}

/* import_ubuf() came with 6.4, what it is made of is older. @length: at most MAX_RW_COUNT. */
static inline int aem_import_source(void __user *data, size_t length, struct iov_iter *iter)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	return import_ubuf(ITER_SOURCE, data, length, iter);
#else
	if (unlikely(!access_ok(data, length)))
		return -EFAULT;
	iov_iter_ubuf(iter, ITER_SOURCE, data, length);
	return 0;
#endif
}

/* UDP counts what it drops by node since 6.18. */
static inline u32 aem_sock_drops(const struct sock *sk)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
	return sk_drops_read(sk);
#else
	return atomic_read(&sk->sk_drops);
#endif
}

#endif /* _AEM_COMPAT_SOCKET_H */
