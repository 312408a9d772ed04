using System.Globalization;
using System.Text;
using Platform.Backup.Copies;
using Platform.Backup.Engines;
using Platform.Backup.Policy;
using Platform.Backup.Repository;

namespace Platform.Tests.Unit.Backup;

/// <summary>
/// A repository of files that changes as pgBackRest changes one, in the same order, and whose lists of backups say in plain words which objects they need. It
/// is the engine, too, as far as who copies asks one.
/// </summary>
internal sealed class FakeRepository : IBackupEngine, IDisposable
{
    public const string PassPhrase = "a pass phrase that is long enough";

    private const string InfoHead = "needs";

    // In memory, where there is such a place: hundreds of cases write to the disk for nothing.
    private readonly DirectoryInfo _directory = System.IO.Directory.CreateDirectory(Path.Combine(
        System.IO.Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"copy-{Guid.NewGuid():N}"));
    private readonly List<(string Label, List<string> Files, List<string> Log)> _backups = [];
    private readonly List<string> _log = [];
    private readonly ObjectList _list;
    private int _number;

    public FakeRepository() => _list = ObjectList.New(Directory, PassPhrase);

    private FakeRepository(FakeRepository other)
    {
        foreach (var file in System.IO.Directory.GetFiles(other.Directory, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(Directory, Path.GetRelativePath(other.Directory, file));
            System.IO.Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        // What comes later has other names than there.
        _number = other._number + 1000;
        _backups.AddRange(other._backups);
        _log.AddRange(other._log);
        _list = ObjectList.Find(Directory, PassPhrase, File.ReadAllText(ObjectList.FileOf(Directory)))!;
    }

    public string Directory => _directory.FullName;

    /// <summary>Called between two steps of a change, as if who copies came in between.</summary>
    public Func<Task> Between { get; set; } = () => Task.CompletedTask;

    public bool HasRepository => File.Exists(Full(RepositoryFiles.Infos[^1]));

    public IReadOnlyList<string> Capabilities => [];

    /// <summary>Which objects the lists of backups of a store, or a disk, need that are not there.</summary>
    public static IEnumerable<string> Missing(IReadOnlyDictionary<string, byte[]> objects) => RepositoryFiles.Infos
        .Where(objects.ContainsKey)
        .SelectMany(info => Encoding.UTF8.GetString(objects[info]).Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1)
            .Where(path => !objects.ContainsKey(path)).Select(path => $"{info} needs {path}"));

    /// <summary>All files that a copy is to have.</summary>
    public IReadOnlyDictionary<string, byte[]> Files() => _list.Present()
        .Where(path => RepositoryPath.LabelOf(path) is not { } label || File.Exists(Full($"backup/platform/{label}/backup.manifest")))
        .ToDictionary(path => path, path => File.ReadAllBytes(Full(path)), StringComparer.Ordinal);

    public string Full(string path) => Path.Combine(Directory, "repository", path);

    /// <summary>Archives a segment of the log.</summary>
    public void Archive(Random random)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"archive/platform/18-1/0000000100000000/{++_number:X24}-{random.Next():x40}.zst");
        Write(path, Bytes(random));
        _log.Add(path);
    }

    /// <summary>Makes a backup, and seals it.</summary>
    public async Task BackUpAsync(Random random)
    {
        UnfinishedWork.Adding.Begin(Directory);
        var label = string.Create(CultureInfo.InvariantCulture, $"20260101-{++_number:D6}F");
        var files = new List<string>();
        Write($"backup/platform/{label}/backup.manifest.copy", Bytes(random));
        files.Add($"backup/platform/{label}/backup.manifest.copy");
        for (var i = 0; i < random.Next(1, 5); i++)
        {
            files.Add(string.Create(CultureInfo.InvariantCulture, $"backup/platform/{label}/bundle/{i}"));
            Write(files[^1], Bytes(random));
            await Between();
        }

        Archive(random);
        files.Add($"backup/platform/{label}/backup.manifest");
        Write(files[^1], Bytes(random));
        Write($"backup/platform/backup.history/2026/{label}.manifest.zst", Bytes(random));
        await Between();
        _backups.Add((label, files, [_log[^1]]));
        WriteInfos();
        await Between();
        await SealAsync();
    }

    /// <summary>Removes the oldest backup and the log before the next one, and seals it.</summary>
    public async Task ExpireAsync()
    {
        if (_backups.Count < 2)
        {
            return;
        }

        var oldest = _backups[0];
        UnfinishedWork.Adding.Begin(Directory);
        _backups.RemoveAt(0);
        WriteInfos();
        await Between();
        foreach (var path in oldest.Files.AsEnumerable().Reverse())
        {
            File.Delete(Full(path));
            await Between();
        }

        System.IO.Directory.Delete(Full($"backup/platform/{oldest.Label}"), recursive: true);
        await SealAsync();
        var first = _backups[0].Log[0];
        UnfinishedWork.Adding.Begin(Directory);
        foreach (var path in _log.Where(path => string.CompareOrdinal(path, first) < 0).ToList())
        {
            File.Delete(Full(path));
            _log.Remove(path);
            await Between();
        }

        await SealAsync();
    }

    /// <summary>Another directory with all that is in this one now.</summary>
    public FakeRepository Copy() => new(this);

    public Task<IReadOnlyList<BackupSet>> BackupsAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<BackupSet>>(
        [.. _backups.Select(backup => KeepPlanTests.Backup(DateTimeOffset.UnixEpoch, BackupProof.Proven) with { Label = backup.Label })]);

    public Task<ArchiveStanding> StandingAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public RecoveryWindow WindowOf(IReadOnlyList<BackupSet> backups) => throw new NotSupportedException();

    public Task PrepareAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task AdoptAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<IReadOnlyList<string>> CloseGapsAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task BackupAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyList<Finding>> VerifyAsync(string? label, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task MarkAsync(string label, bool isProven, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task RemoveAsync(string label, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task RemoveLogAsync(int fullsWithLog, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<bool> FlushAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task RestoreAsync(RestoreTarget target, string directory, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<DatabaseMarker> MarkerAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<DatabaseContents> ContentsAsync(string server, CancellationToken cancellationToken) => throw new NotSupportedException();

    public void Dispose() => _directory.Delete(recursive: true);

    private async Task SealAsync()
    {
        foreach (var path in _list.Objects.Keys.Except(_list.Present()).ToList())
        {
            _list.Forget(path);
        }

        foreach (var path in _list.Present())
        {
            await _list.AcceptAsync(path, CancellationToken.None);
        }

        _list.Write();
        UnfinishedWork.End(Directory);
    }

    private void WriteInfos()
    {
        var text = string.Join('\n', [InfoHead, .. _backups.SelectMany(backup => backup.Files.Concat(backup.Log))]);
        foreach (var path in RepositoryFiles.Infos.Reverse())
        {
            Write(path, Encoding.UTF8.GetBytes(path.Contains("archive.info", StringComparison.Ordinal) ? InfoHead : text));
        }
    }

    // Beside, and then renamed, as pgBackRest does.
    private void Write(string path, byte[] bytes)
    {
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(Full(path))!);
        File.WriteAllBytes(Full(path) + ".pgbackrest.tmp", bytes);
        File.Move(Full(path) + ".pgbackrest.tmp", Full(path), overwrite: true);
    }

    private static byte[] Bytes(Random random)
    {
        var bytes = new byte[random.Next(1, 200)];
        random.NextBytes(bytes);
        return bytes;
    }
}
