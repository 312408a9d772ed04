using System.Text.Json;
using System.Text.Json.Nodes;

namespace Platform.SecurityTool.Secrets;

/// <summary>Where a checkout keeps its secrets. No value ever leaves it.</summary>
/// <param name="userFile">The AppHost's user secrets.</param>
/// <param name="data">The data directory.</param>
/// <param name="passPhraseFile">The pass phrase of data that is encrypted on the disk.</param>
/// <param name="auditKeys">The directory of the audit log's keys.</param>
/// <param name="masterKeys">The directory of the master keys of personal data.</param>
internal sealed class SecretStore(string userFile, string data, string passPhraseFile, string auditKeys, string masterKeys)
{
    private const string Section = "Parameters";
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    /// <summary>The secrets that there are, of the catalogue and others among the AppHost's parameters.</summary>
    /// <exception cref="InvalidDataException">The user secrets cannot be read: a sentence.</exception>
    public IReadOnlyList<StoredSecret> List()
    {
        var parameters = Parameters(Read());
        return
        [
            .. SecretCatalogue.All.Where(secret => secret.File is null ? parameters.Contains(secret.Name) : Path.Exists(PathOf(secret)))
                .SelectMany(secret => FilesOf(secret).Select(file => Describe(secret, file))),
            .. parameters.Except(SecretCatalogue.All.Select(secret => secret.Name), StringComparer.Ordinal).Order(StringComparer.Ordinal)
                .Select(name => new GeneratedSecret(name, "not one that the platform generates", ["the AppHost"], null, "It was set by somebody."))
                .Select(secret => Describe(secret, userFile)),
        ];
    }

    /// <summary>Takes a secret away, so that the next start makes a new one.</summary>
    /// <returns>Whether it was there.</returns>
    /// <exception cref="InvalidDataException">The user secrets cannot be read: a sentence.</exception>
    public bool Remove(GeneratedSecret secret)
    {
        if (secret.File is not null)
        {
            var file = PathOf(secret);
            var was = File.Exists(file);
            File.Delete(file);
            return was;
        }

        var content = Read();
        var removed = content.Remove($"{Section}:{secret.Name}") | (content[Section] as JsonObject)?.Remove(secret.Name) == true;
        if (removed)
        {
            OwnerOnly.Write(userFile, content.ToJsonString(s_indented));
        }

        return removed;
    }

    /// <summary>The value of a secret among the AppHost's user secrets; null when it is not there.</summary>
    /// <exception cref="InvalidDataException">The user secrets cannot be read: a sentence.</exception>
    public string? Find(GeneratedSecret secret)
    {
        var content = Read();
        return (content[$"{Section}:{secret.Name}"] ?? (content[Section] as JsonObject)?[secret.Name])?.GetValue<string>();
    }

    /// <summary>Sets a secret among the AppHost's user secrets, where it was or as new.</summary>
    /// <exception cref="InvalidDataException">The user secrets cannot be read: a sentence.</exception>
    public void Set(GeneratedSecret secret, string value)
    {
        var content = Read();
        if (content[Section] is JsonObject parameters && parameters.ContainsKey(secret.Name))
        {
            parameters[secret.Name] = value;
        }
        else
        {
            content[$"{Section}:{secret.Name}"] = value;
        }

        OwnerOnly.Write(userFile, content.ToJsonString(s_indented));
    }

    /// <summary>The file from which programs that run read a password.</summary>
    public PasswordFile PasswordFileOf(GeneratedSecret secret) => new(Path.Combine(data, PasswordFile.DirectoryName, secret.Name));

    /// <summary>Keeps other rotations from beginning; null when there is one.</summary>
    /// <exception cref="IOException">The directory cannot be written.</exception>
    public IDisposable? TryLock()
    {
        var directory = Path.Combine(data, PasswordFile.DirectoryName);
        OwnerOnly.MakeDirectory(directory);
        try
        {
            return OwnerOnly.Open(Path.Combine(directory, "lock"), FileMode.OpenOrCreate);
        }
        catch (IOException exception) when (exception is not (FileNotFoundException or DirectoryNotFoundException))
        {
            return null;
        }
    }

    private string PathOf(GeneratedSecret secret) => secret.Name switch
    {
        SecretCatalogue.AtRest => passPhraseFile,
        SecretCatalogue.Master => masterKeys,
        "audit-keys" => auditKeys,
        _ => secret.File is null ? userFile : Path.Combine(data, secret.File),
    };

    private IEnumerable<string> FilesOf(GeneratedSecret secret) =>
        PathOf(secret) is var path && Directory.Exists(path) ? Directory.EnumerateFiles(path, "*.key").Order(StringComparer.Ordinal) : [path];

    private static StoredSecret Describe(GeneratedSecret secret, string file)
    {
        var mode = OperatingSystem.IsWindows() ? (UnixFileMode?)null : File.GetUnixFileMode(file);
        return new StoredSecret(
            secret.Name, secret.Purpose, secret.Readers, file, mode is { } known ? Convert.ToString((int)known, 8) : null, ((mode ?? 0) & Others) != 0,
            File.GetLastWriteTimeUtc(file), secret.Rotation is not null, secret.Login is not null);
    }

    private static HashSet<string> Parameters(JsonObject content) =>
    [
        .. content.Select(entry => entry.Key).Where(key => key.StartsWith($"{Section}:", StringComparison.Ordinal)).Select(key => key[(Section.Length + 1)..]),
        .. (content[Section] as JsonObject)?.Select(entry => entry.Key) ?? [],
    ];

    private JsonObject Read()
    {
        if (!File.Exists(userFile))
        {
            return [];
        }

        try
        {
            return JsonNode.Parse(File.ReadAllText(userFile), documentOptions: new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true })
                as JsonObject ?? throw new InvalidDataException($"The user secrets {userFile} are no JSON object.");
        }
        catch (JsonException exception)
        {
            // Its message may have a part of what stands there.
            throw new InvalidDataException($"The user secrets {userFile} are no JSON.", exception);
        }
    }
}
