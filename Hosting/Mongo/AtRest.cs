using System.Security.Cryptography;

namespace Platform.Hosting.Mongo;

/// <summary>Data that is encrypted on the disk, and the pass phrase for it.</summary>
internal static class AtRest
{
    private const int KeyBytes = 32;
    private const UnixFileMode Others = ~(UnixFileMode.UserRead | UnixFileMode.UserWrite);

    /// <summary>
    /// The file with the pass phrase, made where there is none and nothing is encrypted yet; null where data is to be plain. It has the base64 of 32 random
    /// bytes, which is what Percona Server asks for as well.
    /// </summary>
    /// <param name="options">The settings.</param>
    /// <exception cref="DistributedApplicationException">
    /// The data was made the other way, or its pass phrase is missing: a sentence with the ways out.
    /// </exception>
    public static string? PassPhraseOf(MongoReplicaSetOptions options)
    {
        CheckMembers(options);
        if (!options.EncryptAtRest)
        {
            return null;
        }

        var file = options.PassPhrase;
        if (!File.Exists(file))
        {
            if (Members(options).FirstOrDefault(IsEncrypted) is { } encrypted)
            {
                throw new DistributedApplicationException(
                    $"The pass phrase is missing at {file} ({options.SettingOf(nameof(options.PassPhraseFile))}), "
                    + $"but the data in {encrypted} is encrypted with it: "
                    + $"restore the file from where a copy of it is kept, or '{options.Removal}' removes the data.");
            }

            OwnerOnly.MakeDirectory(Path.GetDirectoryName(file)!);
            OwnerOnly.Write(file, Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes)) + "\n");
        }

        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & Others) is not UnixFileMode.None)
        {
            throw new DistributedApplicationException(
                $"The pass phrase {file} can be read by others, as its mode is {Convert.ToString((int)File.GetUnixFileMode(file), 8)}: 'chmod 600' closes it.");
        }

        return file;
    }

    private static void CheckMembers(MongoReplicaSetOptions options)
    {
        if (options.Engine != Engine.DocumentDb)
        {
            return;
        }

        var way = $"or '{options.Removal}' removes the data, and the next start makes new. Nothing is converted.";
        var setting = options.SettingOf(nameof(options.EncryptAtRest));
        if (options.EncryptAtRest && Members(options).FirstOrDefault(IsPlain) is { } plain)
        {
            throw new DistributedApplicationException(
                $"{setting} is true, but the data in {plain} was made without: set it to false, {way}");
        }

        if (!options.EncryptAtRest && Members(options).FirstOrDefault(IsEncrypted) is { } encrypted)
        {
            throw new DistributedApplicationException(
                $"{setting} is false, but the data in {encrypted} is encrypted: set it to true, {way}");
        }
    }

    // Whoever has run here, however many are to.
    private static IEnumerable<string> Members(MongoReplicaSetOptions options) =>
        Enumerable.Range(1, MemberData.MostMembers).Select(member => options.DataDirectoryOf(member));

    private static bool IsPlain(string data) => Directory.Exists(Path.Combine(data, "cluster"));

    private static bool IsEncrypted(string data) => Directory.Exists(Path.Combine(data, "encrypted"));
}
