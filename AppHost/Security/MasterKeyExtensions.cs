using System.Security.Cryptography;
using Platform.AppHost.Settings;
using Platform.AppHost.Stack;

namespace Platform.AppHost.Security;

/// <summary>The master key of personal data: a file of this checkout, whose path is handed to the programs that read or write such data.</summary>
internal static class MasterKeyExtensions
{
    // As Platform.Data.Encryption.MasterKey reads it.
    private const int Length = 96;
    private const string KeyFile = "master.key";
    private const string PreviousFile = "previous-master.key";

    /// <summary>The settings that say where the master key is, which is made where there is none; nothing where personal data is stored plain.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> AddMasterKey(this IDistributedApplicationBuilder builder, PlatformOptions options)
    {
        if (!builder.ExecutionContext.IsRunMode || !options.FieldEncryption)
        {
            return [];
        }

        var (file, previous) = (Path.Combine(options.EncryptionDirectory, KeyFile), Path.Combine(options.EncryptionDirectory, PreviousFile));
        try
        {
            OwnerOnly.MakeDirectory(options.EncryptionDirectory);
            if (!File.Exists(file))
            {
                Make(file);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DistributedApplicationException(
                $"The master key {file} cannot be written: {exception.Message.ReplaceLineEndings(" ")} Platform:FieldEncryption=false does without.",
                exception);
        }

        return
        [
            new(SettingNames.EncryptionMasterKeyFile, file),
            .. File.Exists(previous) ? [new(SettingNames.EncryptionPreviousMasterKeyFile, previous)] : Array.Empty<KeyValuePair<string, string>>(),
        ];
    }

    /// <summary>Lets a program encrypt and decrypt personal data.</summary>
    /// <param name="program">The program.</param>
    /// <param name="masterKey">What <see cref="AddMasterKey"/> gave.</param>
    public static IResourceBuilder<T> WithMasterKey<T>(this IResourceBuilder<T> program, IEnumerable<KeyValuePair<string, string>> masterKey)
        where T : IResourceWithEnvironment
    {
        foreach (var (key, value) in masterKey)
        {
            program.WithEnvironment(key, value);
        }

        return program;
    }

    // Beside its place, and renamed unless there is one: of two starts at once the second one takes the first one's.
    private static void Make(string file)
    {
        var draft = $"{file}.{Path.GetRandomFileName()}";
        OwnerFile.Write(draft, Convert.ToBase64String(RandomNumberGenerator.GetBytes(Length)) + "\n");
        try
        {
            File.Move(draft, file, overwrite: false);
        }
        catch (IOException) when (File.Exists(file))
        {
            File.Delete(draft);
        }
    }

    /// <summary>Writes down, beside the stack file, where the master key is, for the command lines of the migrator and the seeder.</summary>
    public static void RecordMasterKey(
        this IDistributedApplicationBuilder builder, PlatformOptions options, IReadOnlyList<KeyValuePair<string, string>> masterKey) =>
        builder.RecordSettings(options, "encryption", _ => new(masterKey));
}
