using Aspire.Hosting;
using Platform.AppHost.Security;
using Platform.AppHost.Settings;
using Platform.Data.Encryption;
using Platform.Hosting.Mongo;
using Xunit;

namespace Platform.Tests.Unit.AppHost;

/// <summary>The master key of a checkout: made once, for its owner alone, and handed on by its path.</summary>
public sealed class MasterKeyGraphTests : IDisposable
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("master-key-");

    private string Keys => Path.Combine(_data.FullName, "encryption");

    /// <inheritdoc/>
    public void Dispose() => _data.Delete(recursive: true);

    [Fact]
    public void A_key_is_made_once_as_programs_read_it()
    {
        var settings = Add(isOn: true);
        var file = Path.Combine(Keys, "master.key");
        Assert.Equal([KeyValuePair.Create("Encryption__MasterKeyFile", file)], settings);
        var key = MasterKey.FromFile(file);
        Add(isOn: true);
        Assert.Equal(key.Provider, MasterKey.FromFile(file).Provider);

        // As a rotation asks for it.
        File.Move(file, Path.Combine(Keys, "previous-master.key"));
        settings = Add(isOn: true);
        Assert.Equal(["Encryption__MasterKeyFile", "Encryption__PreviousMasterKeyFile"], settings.Select(setting => setting.Key));
        Assert.NotEqual(key.Provider, MasterKey.FromFile(settings[0].Value).Provider);
        Assert.Equal(key.Provider, MasterKey.FromFile(settings[1].Value).Provider);
    }

    [Fact]
    public void Of_first_starts_at_once_all_take_the_same_key()
    {
        var providers = Enumerable.Range(0, 6).AsParallel().WithDegreeOfParallelism(6)
            .Select(_ => MasterKey.FromFile(Add(isOn: true).Single().Value).Provider).Distinct().ToList();
        Assert.Single(providers);
        Assert.Equal(["master.key"], Directory.EnumerateFileSystemEntries(Keys).Select(Path.GetFileName));
    }

    [Fact]
    public void Without_encryption_there_is_no_key()
    {
        Assert.Empty(Add(isOn: false));
        Assert.False(Directory.Exists(Keys));
    }

    private IReadOnlyList<KeyValuePair<string, string>> Add(bool isOn) =>
        DistributedApplication.CreateBuilder(new DistributedApplicationOptions { DisableDashboard = true }).AddMasterKey(new PlatformOptions
        {
            EngineChoice = new(Engine.DocumentDb, "asked for by the test"), DataDirectory = _data.FullName, ServerImage = "/image",
            FieldEncryption = isOn, EncryptionDirectory = Keys,
        });
}
