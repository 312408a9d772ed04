using System.CommandLine;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MongoDB.Driver;
using Platform.Data.Encryption;
using Platform.Jobs;
using Platform.Migrator.Execution;
using Platform.Migrator.Keys;
using Platform.Migrator.Transforms;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator keys encrypt</c>: encrypts what was written before there was a master key.</summary>
internal sealed class KeyEncryptCommand(
    IMongoDatabase database, ConfiguredEncryption configured, SoleWorker alone, IOptions<MigratorOptions> options, TimeProvider time,
    ILogger<KeyEncryptCommand> logger)
{
    public static Command Create() => MigratorJob.Report<KeyEncryptCommand, KeyEncryptReport>(
        new Command("encrypt", "Encrypt what is plain because it was written before there was a master key. Stopped anywhere it can be run again."),
        (encrypt, _, token) => encrypt.RunAsync(token),
        KeyText.Print,
        usesMasterKey: true).Audited("keysEncrypt");

    private Task<KeyEncryptReport> RunAsync(CancellationToken cancellationToken)
    {
        var encryption = configured.Encryption ?? throw new JobRefusedException("There is nothing to encrypt with: Encryption:MasterKeyFile is not set.");
        return alone.RunAsync(
            async (_, token) =>
            {
                var documents = 0L;
                var problems = new List<string>();
                foreach (var (collection, fields) in DatabaseKeys.Encrypted)
                {
                    var runner = new TransformRunner(database, time, logger)
                    {
                        MaxDocumentsPerSecond = options.Value.MaxDocumentsPerSecond is > 0 and var limit ? limit : null,
                    };
                    try
                    {
                        // What is done is not needed any more, so that no checkpoint is.
                        var report = await runner.RunAsync(
                            FieldEncryptionTransform.Encrypting(collection.Name, fields, encryption), resumed: null, (_, _) => Task.CompletedTask, token);
                        documents += report.Documents;
                    }
                    catch (Exception exception) when (exception is TransformException or FieldEncryptionException)
                    {
                        // What a person has to look at there is no reason to leave the other collections plain.
                        problems.Add(exception.Message);
                    }
                }

                if (problems.Count > 0)
                {
                    throw new JobRefusedException(string.Join(' ', problems));
                }

                return new KeyEncryptReport(documents);
            },
            cancellationToken);
    }
}
