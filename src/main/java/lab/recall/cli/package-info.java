/**
 * The commands: options are made from the request records, sentences and exit codes from the failures.
 *
 * <p>Knows all rooms; no room knows it.
 */
package lab.recall.cli;
