using Platform.Backup.Policy;
using Xunit;

namespace Platform.Tests.Unit.Backup;

/// <summary>Settings of the backups, and the sentences on wrong ones.</summary>
public sealed class BackupOptionsTests
{
    [Fact]
    public void The_defaults_are_those_of_the_requirements()
    {
        var options = Good();
        Assert.True(Validate(options).Succeeded, string.Join(' ', Validate(options).Failures ?? []));
        Assert.Equal((30, 12, TimeSpan.FromDays(7)), (options.KeepDaily, options.KeepMonthly, options.Window));
        Assert.Equal(new DateTimeOffset(2026, 1, 2, 2, 0, 0, TimeSpan.Zero), options.ToPolicy().Next(new(2026, 1, 1, 2, 0, 0, TimeSpan.Zero)));
    }

    [Theory]
    [InlineData("mongod", "Backup:Engine is mongod, whose backups (Percona Backup for MongoDB) are not supported yet.")]
    [InlineData("atlas", "Backup:Engine is atlas, whose backups (those of Atlas, or of who runs it) are not supported yet.")]
    [InlineData("mysql", "Backup:Engine is mysql, but only documentdb is supported.")]
    public void Engines_that_are_not_built_are_refused(string engine, string sentence)
    {
        var options = Good();
        options.Engine = engine;
        Assert.Equal([sentence], Validate(options).Failures);
    }

    [Fact]
    public void Without_a_bucket_there_is_no_copy_and_its_other_settings_are_refused()
    {
        Assert.False(Good().S3.IsOn);
        var options = Good();
        options.S3.Region = "eu-central-1";
        Assert.Equal(["Backup:S3:Region is set, but Backup:S3:Bucket is not."], Validate(options).Failures);
    }

    [Theory]
    [InlineData("Bucket", "My Bucket")]
    [InlineData("Bucket", "ab")]
    [InlineData("Prefix", "/backups")]
    [InlineData("Prefix", "backups/")]
    [InlineData("Prefix", "a/../b")]
    [InlineData("Region", "")]
    [InlineData("Region", "Frankfurt am Main")]
    [InlineData("Endpoint", "backups.example")]
    [InlineData("Endpoint", "http://backups.example")]
    [InlineData("Endpoint", "https://backups.example/bucket")]
    [InlineData("Endpoint", "https://key:secret@backups.example")]
    [InlineData("CaFile", "/nowhere/ca.pem")]
    [InlineData("AccessKeyId", "AKIAEXAMPLE")]
    [InlineData("SecretAccessKeyFile", "/nowhere/secret")]
    [InlineData("LockMode", "forever")]
    [InlineData("LockMode", "governance")]
    [InlineData("LockDays", 30)]
    [InlineData("LockDays", -1)]
    [InlineData("PartMebibytes", 4)]
    public void A_wrong_setting_of_the_copy_is_one_sentence_that_names_its_key(string key, object value)
    {
        var options = WithCopy();
        typeof(S3Options).GetProperty(key)!.SetValue(options.S3, value);
        var sentence = Assert.Single(Validate(options).Failures!);
        Assert.Contains($"Backup:S3:{key} ", sentence, StringComparison.Ordinal);
        // Who writes a password into the URL does not find it in a log.
        Assert.False(key == "Endpoint" && sentence.Contains((string)value, StringComparison.Ordinal), sentence);
        Assert.EndsWith(".", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void The_secret_of_the_copy_is_in_a_file_of_its_own_that_nobody_else_may_read()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("The mode of a file is one of Unix.");
            return;
        }

        var file = Path.GetTempFileName();
        try
        {
            var options = WithCopy();
            (options.S3.AccessKeyId, options.S3.SecretAccessKeyFile) = ("AKIAEXAMPLE", file);
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            Assert.Contains("must be a file with the secret", Assert.Single(Validate(options).Failures!), StringComparison.Ordinal);
            File.WriteAllText(file, "a secret\n");
            Assert.True(Validate(options).Succeeded);
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.OtherRead);
            var sentence = Assert.Single(Validate(options).Failures!);
            Assert.Contains("chmod 600", sentence, StringComparison.Ordinal);
            Assert.DoesNotContain("a secret", sentence, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("Schedule", "every day")]
    [InlineData("Schedule", "")]
    [InlineData("VerifySchedule", "61 * * * *")]
    [InlineData("DrillSchedule", "on Sundays")]
    [InlineData("TimeZone", "Mars/Olympus")]
    [InlineData("Directory", "backups")]
    [InlineData("PassPhrase", "tiny")]
    [InlineData("PassPhrase", "with a line break\nin the middle of it")]
    [InlineData("KeepDaily", 0)]
    [InlineData("ServerImage", "/nowhere/at/all")]
    public void A_wrong_setting_is_one_sentence_that_names_its_key_and_never_a_secret(string key, object value)
    {
        var options = Good();
        typeof(BackupOptions).GetProperty(key)!.SetValue(options, value);
        var sentence = Assert.Single(Validate(options).Failures!);
        Assert.StartsWith($"Backup:{key} is ", sentence, StringComparison.Ordinal);
        Assert.True(key != "PassPhrase" || !sentence.Contains((string)value, StringComparison.Ordinal));
    }

    private static Microsoft.Extensions.Options.ValidateOptionsResult Validate(BackupOptions options) => new BackupOptionsValidation().Validate(null, options);

    private static BackupOptions WithCopy()
    {
        var options = Good();
        (options.S3.Bucket, options.S3.Region) = ("backups", "eu-central-1");
        return options;
    }

    private static BackupOptions Good() => new()
    {
        Directory = "/var/backups/platform",
        PassPhrase = "a pass phrase that is long enough",
        ServerImage = Path.GetTempPath(), NativeScripts = Path.GetTempPath(),
    };
}
