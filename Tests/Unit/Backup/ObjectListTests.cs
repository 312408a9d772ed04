using Platform.Backup.Engines;
using Platform.Backup.Repository;
using Xunit;

namespace Platform.Tests.Unit.Backup;

/// <summary>The signed list of hashes.</summary>
public sealed class ObjectListTests : IDisposable
{
    private const string PassPhrase = "a pass phrase that is long enough";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("objects-");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_list_that_was_written_is_read_and_only_its_owner_can()
    {
        await MakeAsync();
        var list = await ObjectList.ReadAsync(_directory.FullName, PassPhrase, Token);
        Assert.Equal(["archive/platform/a b", "backup/platform/backup.info"], list.Objects.Keys);
        Assert.Equal(list.Objects["archive/platform/a b"], await list.HashAsync("archive/platform/a b", Token));
        Assert.Null(await list.HashAsync("archive/platform/none", Token));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(ObjectList.FileOf(_directory.FullName)));
        }
    }

    [Fact]
    public async Task A_list_in_which_any_byte_was_changed_is_refused()
    {
        await MakeAsync();
        var file = ObjectList.FileOf(_directory.FullName);
        var bytes = await File.ReadAllBytesAsync(file, Token);
        // The line break at the end says nothing.
        for (var i = 0; i < bytes.Length - 1; i++)
        {
            bytes[i] ^= 1;
            await File.WriteAllBytesAsync(file, bytes, Token);
            await Assert.ThrowsAsync<BackupException>(() => ObjectList.ReadAsync(_directory.FullName, PassPhrase, Token));
            bytes[i] ^= 1;
        }

        await File.WriteAllBytesAsync(file, [], Token);
        await Assert.ThrowsAsync<BackupException>(() => ObjectList.ReadAsync(_directory.FullName, PassPhrase, Token));
        File.Delete(file);
        await Assert.ThrowsAsync<BackupException>(() => ObjectList.ReadAsync(_directory.FullName, PassPhrase, Token));
    }

    [Fact]
    public async Task A_list_that_was_signed_with_another_pass_phrase_is_refused()
    {
        await MakeAsync();
        var refused = await Assert.ThrowsAsync<BackupException>(() => ObjectList.ReadAsync(_directory.FullName, PassPhrase + ".", Token));
        Assert.Equal(ExitCodes.Refused, refused.ExitCode);
    }

    [Fact]
    public void Work_that_was_begun_is_found_until_it_is_ended()
    {
        Assert.Null(UnfinishedWork.Read(_directory.FullName));
        new UnfinishedWork(["20261129-020000F"], RemovesLog: true).Begin(_directory.FullName);
        var found = UnfinishedWork.Read(_directory.FullName);
        Assert.Equal(["20261129-020000F"], found!.Removes);
        Assert.True(found.RemovesLog);
        UnfinishedWork.Adding.Begin(_directory.FullName);
        Assert.False(UnfinishedWork.Read(_directory.FullName)!.RemovesLog);
        Assert.Empty(UnfinishedWork.Read(_directory.FullName)!.Removes);
        UnfinishedWork.End(_directory.FullName);
        Assert.Null(UnfinishedWork.Read(_directory.FullName));
    }

    /// <inheritdoc />
    public void Dispose() => _directory.Delete(recursive: true);

    private async Task MakeAsync()
    {
        var list = ObjectList.New(_directory.FullName, PassPhrase);
        foreach (var path in (string[])["backup/platform/backup.info", "archive/platform/a b"])
        {
            var file = Path.Combine(_directory.FullName, "repository", path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllTextAsync(file, path, Token);
            Assert.True(await list.AcceptAsync(path, Token));
        }

        list.Write();
    }
}
