using MongoDB.Bson;
using Xunit;

namespace Platform.Tests.Gateway.Replication;

/// <summary>A member whose disk is full.</summary>
public sealed class FullDiskTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 240_000)]
    public async Task Another_member_takes_over_when_the_disk_of_the_primary_is_full()
    {
        var reason = ServerImage.WhyUnavailable();
        Assert.SkipWhen(reason is not null, reason ?? "");
        await using var set = ReplicaSetFixture.Prepare();
        var disk = set.DataOf(1);
        Directory.CreateDirectory(disk);
        var mount = await ProgramResult.OfAsync(new("mount", ["-t", "tmpfs", "-o", "size=1g", "tmpfs", disk]), Cancel);
        Assert.SkipWhen(mount.ExitCode != 0, "This user may not mount a small disk.");
        try
        {
            await set.ResizeAsync(3, Cancel);
            // The first member made the cluster, so it is primary.
            Assert.Equal(1, (await set.PrimaryAsync(Cancel)).Number);
            await using var writer = new CountingWriter(set.NewDatabase().GetCollection<BsonDocument>("numbers"));
            await writer.UntilMoreAsync(100, Cancel);
            await using (var file = new FileStream(Path.Combine(disk, "ballast"), FileMode.Create))
            {
                Fill(file);
            }

            await Wait.UntilAsync(
                async () => (await set.PrimaryAsync(Cancel)).Number != 1, () => $"another member is primary. {set.Output}", Wait.Patience, Cancel);
            await writer.UntilMoreAsync(100, Cancel);
            File.Delete(Path.Combine(disk, "ballast"));
            await set.UntilWholeAsync(Cancel);
            Assert.Empty(await writer.EndAsync(Cancel));
        }
        finally
        {
            await set.ResizeAsync(0, Cancel);
            await ProgramResult.OfAsync(new("umount", [disk]), CancellationToken.None);
        }
    }

    private static void Fill(FileStream file)
    {
        var block = new byte[64 * 1024];
        try
        {
            while (true)
            {
                file.Write(block);
                file.Flush();
            }
        }
        catch (IOException)
        {
            // That is all there was.
        }
    }
}
