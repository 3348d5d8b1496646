# SPDX-License-Identifier: GPL-2.0-or-later
if FUSE
bin_PROGRAMS += mount-tools/deltafs
mount_tools_deltafs_SOURCES = mount-tools/deltafs.c \
	mount-tools/version.c mount-tools/version.h \
	mount-tools/daemon/background.c mount-tools/daemon/background.h \
	mount-tools/daemon/harden.c mount-tools/daemon/harden.h \
	mount-tools/daemon/mountpoint.c mount-tools/daemon/mountpoint.h \
	mount-tools/daemon/options.c mount-tools/daemon/options.h \
	mount-tools/daemon/settings.c mount-tools/daemon/settings.h
mount_tools_deltafs_LDADD = $(DELTAFS_FUSE_LIBS)

# mount(8) and systemd start file systems by these names.
install-exec-hook:
	$(MKDIR_P) $(DESTDIR)$(mounthelperdir)
	$(LN_S) -f $(bindir)/deltafs $(DESTDIR)$(mounthelperdir)/mount.deltafs
	$(LN_S) -f $(bindir)/deltafs $(DESTDIR)$(mounthelperdir)/mount.fuse.deltafs

uninstall-hook:
	rm -f $(DESTDIR)$(mounthelperdir)/mount.deltafs $(DESTDIR)$(mounthelperdir)/mount.fuse.deltafs
endif
