using System.CommandLine;
using MongoDB.Driver;
using Platform.Data.Encryption;
using Platform.Jobs;
using Platform.Migrator.Execution;
using Platform.Migrator.Keys;

namespace Platform.Migrator.Commands;

/// <summary><c>migrator keys rotate</c>: encrypts the tenants' keys with another master key.</summary>
internal sealed class KeyRotateCommand(IMongoDatabase database, ConfiguredEncryption configured, SoleWorker alone)
{
    public static Command Create()
    {
        var file = new Option<string>("--new-master-key")
        {
            Description = "The file with the new master key: 96 bytes in base64, mode 600.", HelpName = "FILE", Required = true,
        };
        return MigratorJob.Report<KeyRotateCommand, KeyRotationReport>(
            new Command(
                "rotate",
                "Encrypt all tenants' keys with a new master key; documents stay as they are. First give all programs, and this one, the new one as "
                    + "Encryption:MasterKeyFile and the present one as Encryption:PreviousMasterKeyFile: those that have only the present one fail afterwards.")
            {
                file,
            },
            (rotate, result, token) => rotate.RunAsync(result.GetValue(file)!, token),
            KeyText.Print,
            usesMasterKey: true).Audited("keysRotate");
    }

    private async Task<KeyRotationReport> RunAsync(string file, CancellationToken cancellationToken)
    {
        var present = new[] { configured.Master, configured.Previous }.OfType<MasterKey>().ToList();
        if (present.Count == 0)
        {
            throw new JobRefusedException("There is nothing to rotate: Encryption:MasterKeyFile, with the present master key, is not set.");
        }

        try
        {
            var master = MasterKey.FromFile(file);
            if (present.All(known => known.Provider != master.Provider))
            {
                throw new JobRefusedException(
                    $"The master key {file} ({master.Provider}) is neither that of Encryption:MasterKeyFile nor that of Encryption:PreviousMasterKeyFile: "
                        + "first give it to all programs, beside the present one, for those that do not have it could read nothing afterwards.");
            }

            return await alone.RunAsync((_, token) => new DatabaseKeys(database).RotateAsync(master, present, token), cancellationToken);
        }
        catch (FieldEncryptionException exception)
        {
            throw new JobRefusedException(exception.Message);
        }
    }
}
