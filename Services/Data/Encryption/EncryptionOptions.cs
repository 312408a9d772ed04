using Microsoft.Extensions.Options;

namespace Platform.Data.Encryption;

/// <summary>With what personal data is encrypted. Configuration section <c>Encryption</c>.</summary>
public sealed class EncryptionOptions
{
    /// <summary>The configuration section that these options are bound to.</summary>
    public const string Section = "Encryption";

    private const string Local = "local";

    /// <summary>Who has the master key: <c>local</c>, a file. Cloud KMS are not supported yet. Default: local.</summary>
    public string Provider { get; set; } = Local;

    /// <summary>The file with the master key: 96 bytes in base64, mode 600. Default: none, which stores fields plain.</summary>
    public string MasterKeyFile { get; set; } = "";

    /// <summary>The file with another master key that tenants' keys may be encrypted with, until all are with one of them. Default: none.</summary>
    public string PreviousMasterKeyFile { get; set; } = "";

    internal MasterKey? Master { get; private set; }

    internal MasterKey? Previous { get; private set; }

    // The files are read where what is in them is judged: once.
    internal sealed class Validator : IValidateOptions<EncryptionOptions>
    {
        public ValidateOptionsResult Validate(string? name, EncryptionOptions options)
        {
            if (options.Provider != Local)
            {
                return ValidateOptionsResult.Fail(
                    $"{Section}:{nameof(Provider)} is '{options.Provider}', but must be {Local}: cloud KMS (aws, azure, gcp, kmip) are not supported yet.");
            }

            if (options.PreviousMasterKeyFile.Length > 0 && options.MasterKeyFile.Length == 0)
            {
                return ValidateOptionsResult.Fail($"{Section}:{nameof(PreviousMasterKeyFile)} is set, but {Section}:{nameof(MasterKeyFile)} is not.");
            }

            try
            {
                options.Master = Read(options.MasterKeyFile);
                options.Previous = Read(options.PreviousMasterKeyFile);
                return ValidateOptionsResult.Success;
            }
            catch (FieldEncryptionException exception)
            {
                return ValidateOptionsResult.Fail($"{Section}: {exception.Message}");
            }
        }

        private static MasterKey? Read(string file) => file.Length == 0 ? null : MasterKey.FromFile(file);
    }
}
