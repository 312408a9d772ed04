using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting;

/// <summary>Keeps generated secrets in the file of the .NET user secrets, readable by its owner only.</summary>
internal sealed class UserSecretsManager : IUserSecretsManager
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    private readonly Lock _gate = new();
    private readonly string? _path;

    public UserSecretsManager(string? userSecretsId)
        => _path = string.IsNullOrEmpty(userSecretsId) ? null : PathOf(userSecretsId);

    public bool IsAvailable => _path is not null;

    public string FilePath => _path ?? "";

    public bool TrySetSecret(string name, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Change(secrets =>
        {
            secrets[name] = value;
            return true;
        });
    }

    public bool TryDeleteSecret(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Change(secrets => secrets.Remove(name));
    }

    public void GetOrSetSecret(IConfigurationManager configuration, string name, Func<string> valueGenerator)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(valueGenerator);
        if (!string.IsNullOrEmpty(configuration[name]))
        {
            return;
        }

        var value = valueGenerator();
        configuration.AddInMemoryCollection([KeyValuePair.Create<string, string?>(name, value)]);
        TrySetSecret(name, value);
    }

    private bool Change(Func<JsonObject, bool> change)
    {
        if (_path is null)
        {
            return false;
        }

        lock (_gate)
        {
            var directory = Path.GetDirectoryName(_path)!;
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(directory);
            }
            else
            {
                Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            // Two app hosts may write at the same time: one at a time, each on what the other left.
            using var file = OpenLocked(_path + ".lock");
            var secrets = Read();
            if (!change(secrets))
            {
                return false;
            }

            Write(secrets);
            return true;
        }
    }

    private JsonObject Read()
    {
        if (!File.Exists(_path) || new FileInfo(_path).Length == 0)
        {
            return [];
        }

        try
        {
            return JsonNode.Parse(File.ReadAllText(_path), documentOptions: new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true })
                as JsonObject ?? [];
        }
        catch (JsonException ex)
        {
            throw new DistributedApplicationException($"The user secrets '{_path}' are not valid JSON; repair or remove the file.", ex);
        }
    }

    // Beside the file, then renamed: a crash leaves the old secrets, not half of the new ones.
    private void Write(JsonObject secrets)
    {
        var draft = $"{_path}.{Environment.ProcessId}";
        using (var writer = new StreamWriter(draft, OwnerOnlyFile.Options(FileMode.Create, FileShare.None)))
        {
            writer.WriteLine(secrets.ToJsonString(s_json));
        }

        File.Move(draft, _path!, overwrite: true);
    }

    private static FileStream OpenLocked(string path)
    {
        var deadline = Environment.TickCount64 + 5000;
        while (true)
        {
            try
            {
                return new FileStream(path, OwnerOnlyFile.Options(FileMode.OpenOrCreate, FileShare.None));
            }
            catch (IOException) when (Environment.TickCount64 < deadline)
            {
                Thread.Sleep(10); // held by another app host for the moment of a write
            }
        }
    }

    // https://learn.microsoft.com/aspnet/core/security/app-secrets: where the configuration provider looks.
    private static string PathOf(string id)
    {
        var roaming = Environment.GetEnvironmentVariable("APPDATA");
        if (!string.IsNullOrEmpty(roaming))
        {
            return Path.Combine(roaming, "Microsoft", "UserSecrets", id, "secrets.json");
        }

        var home = Environment.GetEnvironmentVariable("HOME");
        home = string.IsNullOrEmpty(home) ? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) : home;
        return Path.Combine(home, ".microsoft", "usersecrets", id, "secrets.json");
    }
}
