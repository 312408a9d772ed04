using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Platform.Backup.Engines;

namespace Platform.Backup.Repository;

/// <summary>
/// The hashes of all objects in the repository as they were when they were known to be good: what a disk, or somebody, changes in any of them is found,
/// also where pgBackRest has no checksum of its own. The list is signed with a key that is made of the pass phrase.
/// </summary>
internal sealed class ObjectList
{
    private const string Signature = "signature ";

    private readonly string _file;
    private readonly string _repository;
    private readonly byte[] _key;
    private readonly SortedDictionary<string, ObjectHash> _objects = new(StringComparer.Ordinal);

    private ObjectList(string directory, string passPhrase)
    {
        _file = FileOf(directory);
        _repository = Path.Combine(directory, "repository");
        _key = HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(passPhrase), 32, info: "platform backup: list of objects"u8.ToArray());
    }

    /// <summary>The objects that are known, by their paths in the repository.</summary>
    public IReadOnlyDictionary<string, ObjectHash> Objects => _objects;

    /// <summary>Where the list of a directory of backups is.</summary>
    public static string FileOf(string directory) => Path.Combine(directory, "objects");

    /// <summary>An empty list.</summary>
    public static ObjectList New(string directory, string passPhrase) => new(directory, passPhrase);

    /// <summary>Reads the list.</summary>
    /// <exception cref="BackupException">It is not there, or not as it was written.</exception>
    public static async Task<ObjectList> ReadAsync(string directory, string passPhrase, CancellationToken cancellationToken)
    {
        string text;
        try
        {
            text = await File.ReadAllTextAsync(FileOf(directory), cancellationToken);
        }
        catch (FileNotFoundException)
        {
            throw new BackupException(
                $"The list of hashes {FileOf(directory)} is missing, so nobody can say whether the repository is as it was: 'backup verify --accept' makes it "
                + "anew of what pgBackRest finds to be good.",
                ExitCodes.Refused);
        }

        return Find(directory, passPhrase, text) ?? throw new BackupException(
            $"The list of hashes {FileOf(directory)} was changed, or Backup:PassPhrase is not the one that it was signed with: 'backup verify --accept' makes "
            + "it anew of what pgBackRest finds to be good.",
            ExitCodes.Refused);
    }

    /// <summary>Finds the list in a text; null when it is not as it was written, or not with this pass phrase.</summary>
    public static ObjectList? Find(string directory, string passPhrase, string text)
    {
        var list = new ObjectList(directory, passPhrase);
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var signed = lines.Length == 0 ? [] : lines[..^1];
        if (lines.Length == 0 || !CryptographicOperations.FixedTimeEquals(
            Encoding.ASCII.GetBytes(lines[^1]), Encoding.ASCII.GetBytes(Signature + list.Sign(signed))))
        {
            return null;
        }

        foreach (var line in signed)
        {
            var parts = line.Split(' ', 3);
            list._objects[parts[2]] = new ObjectHash(long.Parse(parts[1], CultureInfo.InvariantCulture), parts[0]);
        }

        return list;
    }

    /// <summary>Writes the list: it is either the old one or the new one, whatever happens meanwhile.</summary>
    public void Write() => OwnerOnly.Write(_file, Text());

    /// <summary>The list as it is written, with its signature.</summary>
    public string Text()
    {
        var lines = _objects.Select(entry => string.Create(CultureInfo.InvariantCulture, $"{entry.Value.Hash} {entry.Value.Length} {entry.Key}")).ToList();
        lines.Add(Signature + Sign(lines));
        return string.Join('\n', lines) + "\n";
    }

    /// <summary>Forgets an object.</summary>
    public void Forget(string path) => _objects.Remove(path);

    /// <summary>Takes an object as it is now for good. Returns false when it has gone meanwhile.</summary>
    public async Task<bool> AcceptAsync(string path, CancellationToken cancellationToken)
    {
        if (await HashAsync(path, cancellationToken) is not { } hash)
        {
            return false;
        }

        _objects[path] = hash;
        return true;
    }

    /// <summary>The paths of all objects that there are now.</summary>
    public IEnumerable<string> Present() => !Directory.Exists(_repository) ? []
        : Directory.EnumerateFiles(
                _repository, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint })
            .Select(file => Path.GetRelativePath(_repository, file))
            // What is being written has another name until it is whole.
            .Where(path => !path.EndsWith(".pgbackrest.tmp", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);

    /// <summary>An object's hash now; null when there is no such object.</summary>
    public async Task<ObjectHash?> HashAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = new FileStream(
                Path.Combine(_repository, path), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16, useAsync: false);
            return await ObjectHash.OfAsync(stream, copy: null, cancellationToken);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private string Sign(IEnumerable<string> lines) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(string.Join('\n', lines))));
}
