using System.Diagnostics;
using Xunit;

namespace Platform.Tests.TestKit;

/// <summary>A file system of some kilobytes, in memory, that can be filled. Where this machine lets nobody mount one, the test is skipped.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("small-disk-");

    private SmallDisk()
    {
    }

    /// <summary>Where it is.</summary>
    public string Path => _directory.FullName;

    private string Filling => System.IO.Path.Combine(Path, "filling");

    /// <summary>Mounts one.</summary>
    public static async Task<SmallDisk> MountAsync(int kilobytes, CancellationToken cancellationToken)
    {
        var disk = new SmallDisk();
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            disk._directory.Delete();
            Assert.Skip("Only root can mount a small disk.");
        }

        var options = FormattableString.Invariant($"size={kilobytes}k,mode=700");
        var (exitCode, _, errors) = await ProgramResult.OfAsync(
            new ProcessStartInfo("mount", ["-t", "tmpfs", "-o", options, "none", disk.Path]), cancellationToken);
        if (exitCode != 0)
        {
            disk._directory.Delete();
            Assert.Skip($"No small disk can be mounted here: {errors.Trim()}");
        }

        return disk;
    }

    /// <summary>Fills it to the last byte.</summary>
    public void Fill()
    {
        using var file = new FileStream(Filling, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        // Small pieces at the end, so that nothing is left.
        foreach (var size in (int[])[4096, 1])
        {
            try
            {
                while (true)
                {
                    file.Write(new byte[size]);
                }
            }
            catch (IOException)
            {
                // Full.
            }
        }
    }

    /// <summary>Gives back what <see cref="Fill"/> took.</summary>
    public void Free() => File.Delete(Filling);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await ProgramResult.OfAsync(new ProcessStartInfo("umount", ["-l", Path]), CancellationToken.None);
        _directory.Delete(recursive: true);
    }
}
