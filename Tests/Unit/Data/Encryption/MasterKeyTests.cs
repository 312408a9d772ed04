using Microsoft.Extensions.Options;
using Platform.Data.Encryption;
using Xunit;

namespace Platform.Tests.Unit.Data.Encryption;

/// <summary>The file with the master key, and the settings that name it.</summary>
public sealed class MasterKeyTests : IDisposable
{
    private readonly string _file = Path.Combine(Directory.CreateTempSubdirectory("key").FullName, "master.key");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_file)!, recursive: true);

    [Fact]
    public void A_key_is_read_as_it_was_written_and_has_a_name_of_its_own()
    {
        var key = MasterKey.Create();
        OwnerOnly.Write(_file, key.ToText());
        Assert.Equal(key.Provider, MasterKey.FromFile(_file).Provider);
        Assert.Matches("^local:k[0-9a-f]{16}$", key.Provider);
        Assert.NotEqual(key.Provider, MasterKey.Create().Provider);
    }

    [Theory]
    [InlineData("", "is not 96 bytes in base64")]
    [InlineData("c2hvcnQ=", "is not 96 bytes in base64")]
    [InlineData("not base64!", "is not 96 bytes in base64")]
    [InlineData(null, "cannot be read: ")]
    public void A_wrong_file_is_told_in_a_sentence_that_names_it(string? text, string expected)
    {
        if (text is not null)
        {
            OwnerOnly.Write(_file, text);
        }

        var exception = Assert.Throws<FieldEncryptionException>(() => MasterKey.FromFile(_file));
        Assert.StartsWith($"The master key {_file} {expected}", exception.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_others_may_read_is_refused()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no modes.");
            return;
        }

        OwnerOnly.Write(_file, MasterKey.Create().ToText());
        File.SetUnixFileMode(_file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Assert.Equal(
            $"The master key {_file} has the mode 640, which lets others use it: give it the mode 600.",
            Assert.Throws<FieldEncryptionException>(() => MasterKey.FromFile(_file)).Message);
    }

    [Fact]
    public void Of_a_link_the_file_is_judged()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Links take a right of their own on Windows.");
            return;
        }

        var key = MasterKey.Create();
        var link = $"{_file}.link";
        File.CreateSymbolicLink(link, _file);
        OwnerOnly.Write(_file, key.ToText());
        Assert.Equal(key.Provider, MasterKey.FromFile(link).Provider);

        File.SetUnixFileMode(_file, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Assert.Contains("has the mode 404", Assert.Throws<FieldEncryptionException>(() => MasterKey.FromFile(link)).Message, StringComparison.Ordinal);

        OwnerOnly.Write(_file, key.ToText() + new string('\n', 2000));
        Assert.Contains("is not 96 bytes", Assert.Throws<FieldEncryptionException>(() => MasterKey.FromFile(link)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("aws", "", "", "Encryption:Provider is 'aws', but must be local: cloud KMS (aws, azure, gcp, kmip) are not supported yet.")]
    [InlineData("local", "", "x", "Encryption:PreviousMasterKeyFile is set, but Encryption:MasterKeyFile is not.")]
    [InlineData("local", "/nowhere", "", "Encryption: The master key /nowhere cannot be read: ")]
    public void Wrong_settings_are_told_in_a_sentence(string provider, string file, string previous, string expected)
    {
        var result = new EncryptionOptions.Validator().Validate(
            Options.DefaultName, new EncryptionOptions { Provider = provider, MasterKeyFile = file, PreviousMasterKeyFile = previous });
        Assert.StartsWith(expected, result.FailureMessage, StringComparison.Ordinal);
    }
}
